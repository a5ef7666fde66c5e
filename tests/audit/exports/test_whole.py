"""Files that are written at one go: bundles, which their own verifier accepts, and reports."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit import ledger
from audit.exports import making, service
from audit.exports.folder import folder_of
from audit.exports.formats import FORMATS, Whole
from audit.models import Export
from audit.search import EntryFilter
from identity.principals import Principal
from tests.audit.exports.conftest import ask, made, record


@pytest.mark.parametrize("wanted", [EntryFilter(), EntryFilter(datasource="hr")])
def test_a_bundle_is_accepted_by_the_verifier_that_is_in_it(
    olaf: Principal, wanted: EntryFilter, tmp_path: Path
) -> None:
    record(5)
    record(2, datasource="hr")
    export, content = made(olaf, "bundle", filter=wanted)
    bundle, verifier = tmp_path / "bundle.zip", tmp_path / "verify.py"
    bundle.write_bytes(content)
    verifier.write_bytes(zipfile.ZipFile(io.BytesIO(content)).read("countersign_verify.py"))
    ran = subprocess.run([sys.executable, str(verifier), str(bundle)], capture_output=True, text=True, check=False)
    assert (ran.returncode, export.rows) == (0, 2 if wanted.datasource else export.end), ran.stdout + ran.stderr


def test_payloads_are_in_a_bundle_only_when_asked_for(olaf: Principal) -> None:
    ledger.append("statement.denied", payload={"sql": "secret-text"}, principal="agent:a")
    for asked in (False, True):
        _, content = made(olaf, "bundle", payloads=asked)
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert any(b"secret-text" in archive.read(name) for name in archive.namelist()) is asked


@pytest.mark.parametrize("wanted", [EntryFilter(), EntryFilter(principal="agent:bot")])
def test_a_bundle_is_never_cut_by_a_limit_but_refused(olaf: Principal, wanted: EntryFilter) -> None:
    record(5)
    export = ask(olaf, "bundle", filter=wanted)
    Export.objects.filter(pk=export.pk).update(most_rows=3)
    made = making.make(export.pk)
    assert made is not None
    assert made.state == "failed"
    assert "More than 3 entries match" in made.problem


def test_a_report_is_made_as_pdf_over_its_period(olaf: Principal) -> None:
    record(3)
    now = timezone.now()
    period = EntryFilter(since=now - timedelta(days=1), until=now + timedelta(minutes=1))
    _, content = made(olaf, "pdf", report="approvals", filter=period)
    assert content.startswith(b"%PDF-")


def test_a_bundle_that_is_cancelled_while_it_is_written_leaves_nothing(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled_meanwhile(target: Any, running: Export) -> None:
        service.cancel(olaf, running)
        assert target.raw._was_stopped.wait(10)
        target.write(b"more")
        target.flush()

    form = dataclasses.replace(FORMATS["bundle"], making=Whole(cancelled_meanwhile))
    monkeypatch.setattr(making, "FORMATS", {"bundle": form})
    export = ask(olaf, "bundle")
    made = making.make(export.pk)
    assert made is not None
    assert (made.state, folder_of(export.pk).exists()) == ("cancelled", False)


def test_ocsf_has_one_event_an_entry(olaf: Principal) -> None:
    record(3)
    export, content = made(olaf, "ocsf")
    lines = content.splitlines()
    assert len(lines) == export.end
    assert all(b'"class_uid":' in line for line in lines)
