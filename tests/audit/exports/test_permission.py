"""Who is asked whether somebody may export, and what is recorded of it."""

from __future__ import annotations

from typing import NoReturn

import pytest

from audit.exports import permission, service
from audit.exports.errors import ExportRefused, ExportUndecided
from audit.exports.reading import Wanted
from audit.models import Entry, Export
from identity.principals import Principal
from tests.audit.exports.conftest import ask


def test_where_nobody_decides_nobody_may(olaf: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_decide", None)
    with pytest.raises(ExportRefused, match="nobody may"):
        ask(olaf)
    assert not Export.objects.exists()


def test_where_nothing_can_be_decided_by_nothing_is_exported(olaf: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    def undecided(_principal: Principal, _door: str) -> NoReturn:
        raise permission.Undecided("No policy set is active.")

    monkeypatch.setattr(permission, "_decide", undecided)
    with pytest.raises(ExportUndecided, match="No policy set is active"):
        ask(olaf)
    assert not Export.objects.exists()


def test_payloads_are_for_auditors_and_administrators_whatever_policy_permits(
    olaf: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = permission.Permission(True, ("everybody",), "Permitted.")
    monkeypatch.setattr(permission, "_decide", lambda _principal, _door: everybody)
    stranger = Principal(olaf.kind, 99, "rita", 99, "rita", frozenset({"dba"}))
    ask(stranger)
    with pytest.raises(ExportRefused, match="Payloads are for auditors"):
        ask(stranger, payloads=True)
    assert Entry.objects.get(kind="export.refused").fields["payloads"] is True


def test_whoever_has_the_machine_is_recorded_as_the_command_line(olaf: Principal) -> None:
    export = service.ask(None, Wanted("csv"), door="", publish=False)
    entry = Entry.objects.get(kind="export.requested").fields
    assert (entry["principal"], entry["policies"], export.most_rows) == ("command line", ["command-line"], None)
