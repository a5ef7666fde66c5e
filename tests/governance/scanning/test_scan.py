"""Scans of real databases: what is read, proposed, kept, decided and recorded."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from governance.catalogue import store
from governance.catalogue.connection import DataSourceError, open_connection
from governance.classification import ClassificationError, classes_of, classify, remove
from governance.datasources import add_datasource
from governance.models import Classification, ClassProposal, ClassScan, DataSource
from governance.scanning import proposals, sampling, scan
from governance.scanning.errors import ProposalGone, ScanRefused
from governance.scanning.proposals import Choice
from tests.fixtures.databases import MakeTarget, TargetDatabase

SCHEMA = """
CREATE TABLE people (
    id integer PRIMARY KEY, full_name text, email text, born date, pay numeric(10,2), salary numeric(10,2), done boolean,
    profile jsonb, tags text[], "Odd Column" text, note text, blob bytea
);
CREATE TABLE orders (id integer PRIMARY KEY, person_id integer REFERENCES people, number text, created_at timestamptz);
CREATE TABLE empty (id integer, email text, nothing text);
CREATE VIEW mails AS SELECT email FROM people;
CREATE MATERIALIZED VIEW copies AS SELECT id, 'x' || id || '@example.org' AS mirror FROM people;
CREATE TABLE log (at date, who text) PARTITION BY RANGE (at);
CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO people SELECT n, 'Person Number', 'person' || n || '@example.com', date '1970-01-01' + n * 50,
    n * 3, 30000 + n * 10,
    n % 2 = 0,
    jsonb_build_object('contact', jsonb_build_object('e-mail', 'person' || n || '@example.net'), 'level', n % 5,
        'others', jsonb_build_array(jsonb_build_object('iban', 'GB82WEST12345698765432'))),
    ARRAY['a' || n || '@example.com', 'b'], 'word ' || n,
    'Call me back as soon as you can, please: person' || n || '@example.com', 'x'
FROM generate_series(1, 60) n;
INSERT INTO orders SELECT n, n, to_char(100000 + n, 'FM000000'), now() FROM generate_series(1, 60) n;
INSERT INTO log SELECT date '2025-01-01' + n, 'who' || n || '@example.com' FROM generate_series(1, 60) n;
REFRESH MATERIALIZED VIEW copies;
"""
SECRET = "person7@example.com"
ROOT = "user:root"


@pytest.fixture(scope="module")
def target(target_database: MakeTarget) -> TargetDatabase:
    return target_database(SCHEMA)


@pytest.fixture
def shop(control_db: str, target: TargetDatabase) -> DataSource:
    return add_datasource("shop", engine="postgres", dsn=target.dsn, environment="prod", actor=ROOT)


def scanned(datasource: DataSource, **options: object) -> scan.Outcome:
    outcome = scan.run(scan.begin(datasource, actor=ROOT), scan.Options(**options))  # type: ignore[arg-type]
    assert outcome is not None
    return outcome


def proposed(datasource: DataSource) -> dict[str, str]:
    return {one.target.removeprefix("public."): one.data_class for one in proposals.open_proposals(datasource)}


def one_of(datasource: DataSource, target: str) -> ClassProposal:
    return next(one for one in ClassProposal.objects.filter(datasource=datasource) if one.target == f"public.{target}")


def entries(kind: str) -> list[dict[str, object]]:
    return [json.loads(bytes(entry.header)) for entry in Entry.objects.filter(kind=kind).order_by("index")]


def test_a_scan_proposes_what_it_finds_and_classifies_nothing(shop: DataSource) -> None:
    scanned(shop)
    assert proposed(shop) == {
        "people.full_name": "person_name",
        "people.email": "email",
        "people.born": "date_of_birth",
        "people.salary": "salary",
        "people.tags": "email",
        "people.note": "free_text",
        'people.profile:$.contact."e-mail"': "email",
        "people.profile:$.others[*].iban": "bank_account",
        "empty.email": "email",
        "copies.mirror": "email",
        "log.who": "email",
    }
    assert not Classification.objects.exists()


def test_no_value_is_kept_or_recorded(shop: DataSource) -> None:
    scanned(shop)
    kept = json.dumps(list(ClassProposal.objects.values("reason", "examples", "evidence", "path")))
    assert not re.search(r"person\d|Person N|GB82", kept)
    assert SECRET not in b"".join(bytes(entry.header) for entry in Entry.objects.all()).decode()


def test_examples_are_what_the_mask_leaves(shop: DataSource) -> None:
    scanned(shop)
    assert one_of(shop, "people.email").examples == ["***@example.com"]
    assert one_of(shop, 'people.profile:$.contact."e-mail"').examples == ["***@example.net"]
    assert one_of(shop, "people.born").examples[0].endswith("-01-01")


def test_a_scan_is_recorded_when_it_starts_and_when_it_ends(shop: DataSource) -> None:
    scanned(shop)
    started, finished = entries("classification.scanned")
    assert (started["status"], finished["status"]) == ("started", "finished")
    assert (finished["actor"], finished["datasource"]) == (ROOT, "shop")
    assert finished["proposed"] == ClassProposal.objects.count()


def test_what_has_a_class_is_not_proposed(shop: DataSource) -> None:
    classify(shop, "public.people.email", "secret", actor=ROOT)
    scanned(shop)
    assert "people.email" not in proposed(shop)


def test_one_relation_can_be_scanned_alone(shop: DataSource) -> None:
    assert scanned(shop, relation=("public", "log")).relations == 1
    assert proposed(shop) == {"log.who": "email"}


@pytest.mark.parametrize("relation", [("public", "nope"), ("public", "mails")])
def test_a_relation_without_rows_to_scan_is_refused(shop: DataSource, relation: tuple[str, str]) -> None:
    with pytest.raises(ScanRefused, match="no table"):
        scanned(shop, relation=relation)
    assert ClassScan.objects.get().state == "failed"


def test_what_cannot_be_read_is_said_and_the_rest_is_scanned(control_db: str, target_database: MakeTarget) -> None:
    own = target_database("CREATE TABLE a (email text); CREATE TABLE b (email text)", owned=False)
    own.admin.execute(f"REVOKE ALL ON a FROM {own.role}")
    shop = add_datasource("shop", engine="postgres", dsn=own.dsn, environment="prod", actor=ROOT)
    outcome = scanned(shop)
    assert outcome.skipped == [("public.a", "the data source's role may not read it")]
    assert proposed(shop) == {"b.email": "email"}


def test_progress_is_told_and_kept(shop: DataSource) -> None:
    told: list[tuple[int, int, str]] = []
    scan.run(scan.begin(shop, actor=ROOT), tell=lambda *step: told.append(step))
    assert told[0] == (0, 6, "public.copies")
    assert told[-1] == (6, 6, "")
    found = ClassScan.objects.get()
    assert (found.done, found.total, found.state) == (6, 6, "finished")


def test_a_second_scan_at_the_same_time_is_refused(shop: DataSource) -> None:
    scan.begin(shop, actor=ROOT)
    with pytest.raises(ScanRefused, match="being scanned already"):
        scan.begin(shop, actor=ROOT)


def test_a_scan_is_run_once_however_often_its_task_comes(shop: DataSource) -> None:
    begun = scan.begin(shop, actor=ROOT)
    assert scan.run(begun) is not None
    assert scan.run(begun) is None


def test_a_scan_whose_worker_died_is_not_in_the_way(shop: DataSource) -> None:
    dead = scan.begin(shop, actor=ROOT)
    ClassScan.objects.filter(pk=dead.pk).update(touched_at=timezone.now() - scan.DEAD_AFTER - timedelta(seconds=1))
    scan.begin(shop, actor=ROOT)
    dead.refresh_from_db()
    assert dead.state == "failed"
    assert "died" in dead.problem


def test_a_data_source_that_is_away_ends_the_scan_with_its_reason(shop: DataSource) -> None:
    shop.dsn = "postgresql://u:hidden@127.0.0.1:1/d"
    shop.save()
    with pytest.raises(DataSourceError):
        scanned(shop)
    found = ClassScan.objects.get()
    assert found.state == "failed"
    assert "hidden" not in found.problem
    assert entries("classification.scanned")[-1]["status"] == "failed"


def test_a_large_table_is_sampled_by_block_and_the_same_way_twice(control_db: str, target_database: MakeTarget) -> None:
    own = target_database("CREATE TABLE big AS SELECT n, 'x' || n AS word FROM generate_series(1, 50000) n")
    own.admin.execute("ANALYZE")
    shop = add_datasource("shop", engine="postgres", dsn=own.dsn, environment="prod", actor=ROOT)

    relation = store.current(shop).relations["public", "big"]

    def read() -> sampling.Sample:
        with open_connection(shop.dsn) as connection, connection.transaction():
            sampling.set_up(connection)
            return sampling.read_sample(connection, relation, relation.columns, 300)

    sample = read()
    assert sample == read()
    assert sample.rows == 300
    assert max(int(word[1:]) for word in sample.values["word"]) > 3000


def test_a_sample_is_bounded_in_bytes(
    control_db: str, target_database: MakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "MOST_BYTES", 50_000)
    own = target_database("CREATE TABLE wide AS SELECT repeat('x', 100000) AS text FROM generate_series(1, 500) n")
    shop = add_datasource("shop", engine="postgres", dsn=own.dsn, environment="prod", actor=ROOT)

    relation = store.current(shop).relations["public", "wide"]
    with open_connection(shop.dsn) as connection, connection.transaction():
        sampling.set_up(connection)
        sample = sampling.read_sample(connection, relation, relation.columns, 500)
    assert not sample.complete
    assert sample.rows <= 200
    assert {len(value) for value in sample.values["text"]} == {sampling.LONGEST_VALUE}


# --- Decisions ----------------------------------------------------------------------------------------------------


def test_an_accepted_proposal_is_a_class_and_an_entry(shop: DataSource) -> None:
    scanned(shop)
    proposal = one_of(shop, "people.email")
    proposals.decide(shop, [Choice(proposal.pk, "email")], actor=ROOT)
    assert classes_of(shop)["public", "people"] == {"email": "email"}
    assert entries("classification.changed")[-1]["column"] == "public.people.email"
    proposal.refresh_from_db()
    assert (proposal.state, proposal.chosen_class, proposal.decided_by) == ("accepted", "email", ROOT)


def test_another_class_can_be_chosen(shop: DataSource) -> None:
    scanned(shop)
    proposals.decide(shop, [Choice(one_of(shop, "people.note").pk, "secret")], actor=ROOT)
    assert classes_of(shop)["public", "people"] == {"note": "secret"}


def test_a_rejected_proposal_does_not_come_back_unless_its_evidence_changes(
    shop: DataSource, target: TargetDatabase
) -> None:
    scanned(shop)
    proposals.decide(shop, [Choice(one_of(shop, "empty.email").pk, None)], actor=ROOT)
    assert entries("classification.rejected")[-1]["column"] == "public.empty.email"
    assert scanned(shop).rejected_before == 1
    assert "empty.email" not in proposed(shop)
    target.admin.execute("INSERT INTO empty SELECT n, 'x' || n || '@example.com', '' FROM generate_series(1, 20) n")
    try:
        scanned(shop)
        assert proposed(shop)["empty.email"] == "email"
    finally:
        target.admin.execute("TRUNCATE empty")


def test_what_a_later_scan_does_not_find_is_taken_back(shop: DataSource, target: TargetDatabase) -> None:
    scanned(shop)
    target.admin.execute("INSERT INTO empty SELECT n, 'no', '' FROM generate_series(1, 20) n")
    try:
        scanned(shop)
        assert "empty.email" not in proposed(shop)
    finally:
        target.admin.execute("TRUNCATE empty")


def test_a_proposal_is_decided_once(shop: DataSource) -> None:
    scanned(shop)
    choice = Choice(one_of(shop, "people.email").pk, None)
    proposals.decide(shop, [choice], actor=ROOT)
    with pytest.raises(ProposalGone):
        proposals.decide(shop, [choice], actor="user:ada")


def test_several_are_decided_together_or_not_at_all(shop: DataSource) -> None:
    scanned(shop)
    mail, note = one_of(shop, "people.email"), one_of(shop, "people.note")
    with pytest.raises(ClassificationError):
        proposals.decide(shop, [Choice(mail.pk, "email"), Choice(note.pk, "nonsense")], actor=ROOT)
    assert not Classification.objects.exists()
    assert {"people.email", "people.note"} <= proposed(shop).keys()


def test_a_column_that_somebody_classified_is_no_open_proposal(shop: DataSource) -> None:
    scanned(shop)
    classify(shop, "public.people.email", "secret", actor=ROOT)
    assert "people.email" not in proposed(shop)


def test_a_class_that_was_taken_away_is_proposed_again(shop: DataSource) -> None:
    scanned(shop)
    proposal = one_of(shop, "people.email")
    proposals.decide(shop, [Choice(proposal.pk, "email")], actor=ROOT)
    remove(shop, proposals.target_of(proposal), actor=ROOT)
    scanned(shop)
    assert proposed(shop)["people.email"] == "email"


def test_only_what_is_certain_enough_is_accepted(shop: DataSource) -> None:
    scanned(shop)
    accepted = proposals.accept_above(shop, 95, actor=ROOT)
    assert accepted
    assert all(one.confidence >= 95 for one in accepted)
    assert all(one.confidence < 95 for one in proposals.open_proposals(shop))


def test_a_place_inside_json_is_accepted_like_a_column(shop: DataSource) -> None:
    scanned(shop)
    proposal = one_of(shop, 'people.profile:$.contact."e-mail"')
    proposals.decide(shop, [Choice(proposal.pk, "email")], actor=ROOT)
    assert classes_of(shop)["public", "people"] == {'profile:$.contact."e-mail"': "email"}
    scanned(shop)
    assert 'people.profile:$.contact."e-mail"' not in proposed(shop)
