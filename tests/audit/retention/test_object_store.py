"""Archives in an S3-compatible store: written, read back, searched, and refused when what is there is not right."""

from __future__ import annotations

import urllib.request
from urllib.parse import quote

import pytest

from audit.models import Archive, Head
from audit.reading import ArchiveUnavailable, entries_between
from audit.retention.archive_search import find_in_archives
from audit.search import EntryFilter
from tests.audit.retention.filling import fill, fill_and_archive
from tests.audit.transparency.test_bucket import endpoint

__all__ = ["endpoint"]


@pytest.fixture
def store(control_db: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/old", method="PUT"), timeout=10).close()
    return f"s3://old/ledger?scheme=http&region=us-east-1&endpoint_override={quote(endpoint.partition('//')[2])}"


def test_entries_move_to_a_store_and_are_read_and_found_there(store: str):
    fill(300)
    before = list(entries_between(0, 300, with_payloads=True))
    [moved], _ = fill_and_archive(0, store)
    assert moved.address.startswith("s3://old/ledger/entries-000000000000-000000000255-")
    assert Head.objects.get().first == 256
    assert list(entries_between(0, 300, with_payloads=True)) == before
    assert [entry.index for entry in find_in_archives(EntryFilter(principal="agent:bot-1"), 20, None, 2)] == [15, 14]


def test_an_object_that_is_gone_is_told(store: str, endpoint: str):
    [moved], _ = fill_and_archive(300, store)
    path = moved.address.partition("://")[2].partition("?")[0]
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{path}", method="DELETE"), timeout=10).close()
    with pytest.raises(ArchiveUnavailable, match="the file is not there"):
        list(entries_between(0, 1))


def test_a_store_that_refuses_keeps_everything_where_it_is(store: str):
    with pytest.raises(ArchiveUnavailable, match="Nothing was moved"):
        fill_and_archive(300, store.replace("s3://old", "s3://missing"))
    assert Head.objects.get().first == 0
    assert not Archive.objects.exists()
