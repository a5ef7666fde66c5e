"""What is in the files."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection, transaction

from audit import ledger
from audit.exports.cells import restore_throughout
from audit.exports.columns import COLUMNS
from audit.exports.making import make
from audit.models import Entry
from audit.search import EntryFilter, entry_json
from identity.principals import Principal
from tests.audit.exports.conftest import ask, made, record


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_ndjson_holds_each_entry_of_the_range_as_rest_shows_it(olaf: Principal) -> None:
    record(3)
    export, content = made(olaf)
    shown = [entry_json(entry) for entry in Entry.objects.filter(index__lt=export.end).order_by("index")]
    assert [orjson.loads(line) for line in content.splitlines()] == orjson.loads(orjson.dumps(shown))
    assert (export.rows, export.bytes, export.sha256) == (len(shown), len(content), sha256(content).hexdigest())


def test_csv_has_the_documented_columns_and_each_header_exactly(olaf: Principal) -> None:
    (index,) = record(sql_normal='SELECT "a",\r\n1', relations=["public.a", "public.b"])
    _, content = made(olaf, "csv")
    found = rows_of(content)
    row = next(one for one in found if one["index"] == str(index))
    assert tuple(row) == COLUMNS
    assert (content[:11], content[-2:]) == (b"index,time,", b"\r\n")
    assert (row["sql_normal"], row["relations"]) == ('SELECT "a",\r\n1', "public.a; public.b")
    assert row["header"].encode() == bytes(Entry.objects.get(index=index).header)


def test_no_cell_of_csv_is_a_formula_and_each_can_be_restored(olaf: Principal) -> None:
    evil = ["=cmd|' /C calc'!A0", " @SUM(1)", "'=1", "\uff1d1", "-2+3"]
    for text in evil:
        record(purpose=text)
    _, content = made(olaf, "csv", filter=EntryFilter(kind="statement.denied"))
    cells = [row["purpose"] for row in rows_of(content)]
    assert cells == [f"'{text}" for text in evil]
    assert [restore_throughout(cell) for cell in cells] == evil


def test_parquet_has_types_and_each_header_exactly(olaf: Principal) -> None:
    (index,) = record(risk=40, policies=["a", "b"])
    export, content = made(olaf, "parquet")
    table = pq.read_table(pa.BufferReader(content))
    row = next(one for one in table.to_pylist() if one["index"] == index)
    entry = Entry.objects.get(index=index)
    assert tuple(table.column_names) == COLUMNS
    assert (row["time"], row["risk"], row["policies"]) == (entry.time, 40, ["a", "b"])
    assert (row["header"].encode(), row["leaf"]) == (bytes(entry.header), bytes(entry.leaf))
    assert table.num_rows == export.rows == export.end


def test_a_filter_narrows_what_is_in_the_file(olaf: Principal) -> None:
    wanted = record(2, datasource="hr") + record(1, datasource="crm")
    record(2)
    _, content = made(olaf, filter=EntryFilter(datasource=("hr", "crm")))
    assert [json.loads(line)["index"] for line in content.splitlines()] == wanted


def test_a_period_narrows_the_range_itself(olaf: Principal) -> None:
    receipts = [ledger.append("statement.denied", principal="agent:a") for _ in range(4)]
    wanted = EntryFilter(since=receipts[1].time, until=receipts[3].time)
    export, content = made(olaf, filter=wanted)
    assert (export.first, export.end) == (receipts[1].index, receipts[3].index)
    assert len(content.splitlines()) == 2


def test_a_period_after_the_log_gives_a_file_without_entries(olaf: Principal) -> None:
    last = ledger.append("statement.denied", principal="agent:a")
    export, content = made(olaf, "csv", filter=EntryFilter(since=last.time + timedelta(days=1)))
    assert (export.rows, rows_of(content)) == (0, [])


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_payloads_stay_out_unless_they_are_asked_for(olaf: Principal, form: str) -> None:
    ledger.append("statement.denied", payload={"sql": "secret-text"}, principal="agent:a")
    _, content = made(olaf, form)
    assert b"secret-text" not in content


def test_payloads_are_opened_for_auditors_who_ask(olaf: Principal) -> None:
    index = ledger.append("statement.denied", payload={"sql": "secret-text"}, principal="agent:a").index
    _, content = made(olaf, payloads=True)
    found = {line["index"]: line for line in map(json.loads, content.splitlines())}
    assert found[index]["payload"] == {"sql": "secret-text"}


def test_a_payload_that_does_not_open_is_told_in_its_place(olaf: Principal) -> None:
    index = ledger.append("statement.denied", payload={"sql": "x"}, principal="agent:a").index
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_payload SET ciphertext = ciphertext || 'x'::bytea")
    _, content = made(olaf, payloads=True)
    found = {line["index"]: line for line in map(json.loads, content.splitlines())}
    assert found[index]["payload"] is None
    assert found[index]["payload_problem"]


def test_a_limit_of_policy_cuts_and_says_so(olaf: Principal) -> None:
    record(8)
    export = ask(olaf)
    export.most_rows = 5
    export.save()
    make(export.pk)
    export.refresh_from_db()
    assert (export.rows, export.progress["truncated"]) == (5, True)
    assert Entry.objects.order_by("-index").first().fields["truncated"] is True  # type: ignore[union-attr]
