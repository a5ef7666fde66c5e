"""The verifiable log over REST: what it answers, that it verifies with nothing of ours, and what it refuses."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.test import Client

from audit import ledger, merkle
from audit.events import KINDS
from audit.models import Checkpoint, Entry, Head
from audit.retention.archives import archive
from audit.transparency import checkpoints, keys
from bench.filling import fill_log
from identity.credentials import issue
from identity.models import Agent, User
from tests.factories import make_agent, make_user
from tests.fixtures import ground
from tests.fixtures.servers import Server

pytestmark = pytest.mark.usefixtures("control_db")

IMMUTABLE = "private, max-age=31536000, immutable"


@dataclass
class Caller:
    token: str

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/api/v1/audit/{path}", headers={"Authorization": f"Bearer {self.token}", **headers})


def caller_for(who: User | Agent) -> Caller:
    return Caller(issue(who, issued_by="test").token)


@pytest.fixture
def person(control_db: str) -> Caller:
    return caller_for(make_user("mallory"))


@pytest.fixture
def agent(control_db: str) -> Caller:
    return caller_for(make_agent("analyst-bot", make_user("alice")))


@pytest.fixture
def log(person: Caller, agent: Caller) -> int:
    """A log of 700 entries and a few; how many there are."""
    fill_log(700)
    return Head.objects.get(id=1).size


def head_root() -> bytes:
    head = Head.objects.get(id=1)
    return merkle.Frontier.from_bytes(head.size, bytes(head.frontier)).root()


def hashes(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


# --- Checkpoint and keys ------------------------------------------------------------------------------------------


def test_the_checkpoint_is_the_signed_note_of_the_log_as_it_is_now(agent: Caller, log: int):
    answer = agent.get("checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    origin, size, root = answer.content.decode().split("\n")[:3]
    assert (origin, int(size), base64.b64decode(root)) == (keys.origin(), log, head_root())
    index = ledger.append("statement.denied", principal="agent:a").index
    assert agent.get("checkpoint").content.decode().split("\n")[1] == str(index + 1)


def test_the_checkpoint_is_json_for_whoever_asks_for_it(agent: Caller, log: int):
    body = agent.get("checkpoint", Accept="application/json").json()
    assert set(body) == {"origin", "size", "root", "note", "time", "cosignatures"}
    assert (body["size"], body["root"], body["cosignatures"]) == (log, head_root().hex(), [])
    assert body["note"] == agent.get("checkpoint").content.decode()


def test_cosignatures_follow_the_log_s_own_signature(agent: Caller, log: int):
    line = "— witness.example/w AAAAAAAA"
    checkpoints.add_cosignature(checkpoints.latest(), line)
    assert agent.get("checkpoint").content.decode().endswith(f"\n{line}\n")
    assert agent.get("checkpoint", Accept="application/json").json()["cosignatures"] == [line]


def test_the_checkpoint_of_an_unchanged_log_stays_the_same(agent: Caller, log: int):
    assert agent.get("checkpoint").content == agent.get("checkpoint").content
    assert Checkpoint.objects.count() == 1


def test_keys_are_listed_with_retired_ones(agent: Caller, log: int):
    first = keys.current_key()
    keys.rotate("user:root")
    listed = {key["id"]: key for key in agent.get("keys").json()["results"]}
    assert len(listed) == 2
    assert listed[first.id]["retired_at"]
    assert listed[first.id]["verifier_key"] == first.verifier_key
    assert listed[keys.current_key().id]["retired_at"] is None


# --- Proofs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 255, 256, 699])
def test_an_inclusion_proof_leads_to_the_checkpoint_that_comes_with_it(agent: Caller, log: int, index: int):
    body = agent.get(f"proof/inclusion?index={index}").json()
    assert list(body) == ["index", "size", "leaf", "root", "proof", "checkpoint"]
    assert (body["index"], body["size"], body["root"]) == (index, log, head_root().hex())
    assert body["checkpoint"] == agent.get("checkpoint").content.decode()
    leaf = merkle.leaf_hash(bytes(Entry.objects.get(index=index).header))
    assert body["leaf"] == leaf.hex()
    assert merkle.verify_inclusion(leaf, index, log, hashes(body["proof"]), head_root())


def test_an_entry_that_is_newer_than_the_newest_checkpoint_is_proved_too(agent: Caller, log: int):
    agent.get("checkpoint")
    index = ledger.append("statement.denied", principal="agent:a").index
    assert agent.get(f"proof/inclusion?index={index}").json()["size"] == index + 1


def test_an_older_entry_needs_no_new_checkpoint(agent: Caller, log: int):
    agent.get("checkpoint")
    ledger.append("statement.denied", principal="agent:a")
    assert agent.get("proof/inclusion?index=3").json()["size"] == log
    assert Checkpoint.objects.count() == 1


def test_a_proof_for_a_size_that_nobody_signed_has_no_checkpoint(agent: Caller, log: int):
    body = agent.get("proof/inclusion?index=3&size=10").json()
    assert body["checkpoint"] is None
    leaves = [bytes(leaf) for leaf in Entry.objects.filter(index__lt=10).values_list("leaf", flat=True)]
    assert body["root"] == merkle.root_of(leaves).hex()


def test_a_consistency_proof_leads_from_one_checkpoint_to_the_next(agent: Caller, log: int):
    before = agent.get("checkpoint", Accept="application/json").json()
    for _ in range(3):
        ledger.append("statement.denied", principal="agent:a")
    after = agent.get("checkpoint", Accept="application/json").json()
    body = agent.get(f"proof/consistency?from={before['size']}").json()
    assert list(body) == ["from", "to", "from_root", "to_root", "proof"]
    assert (body["from_root"], body["to"], body["to_root"]) == (before["root"], after["size"], after["root"])
    roots = hashes([before["root"], after["root"]])
    assert merkle.verify_consistency(before["size"], after["size"], hashes(body["proof"]), *roots)


def test_a_log_is_consistent_with_itself(agent: Caller, log: int):
    assert agent.get(f"proof/consistency?from={log}&to={log}").json()["proof"] == []


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("proof/inclusion", "index: say which entry"),
        ("proof/inclusion?index=x", "index: must be a whole number from 0"),
        ("proof/inclusion?index=-1", "index: must be a whole number from 0"),
        ("proof/inclusion?index=1e3", "index: must be a whole number from 0"),
        ("proof/inclusion?index=%D9%A1", "index: must be a whole number from 0"),
        ("proof/inclusion?index=99999999999999999999", "index: must be a whole number from 0"),
        ("proof/inclusion?index=9223372036854775807", "is not among the first"),
        ("proof/inclusion?index=5000", "entry 5000 is not among the first"),
        ("proof/inclusion?index=10&size=10", "entry 10 is not among the first 10"),
        ("proof/inclusion?index=0&size=0", "size: must be a whole number from 1"),
        ("proof/inclusion?index=0&size=5000", "not 5000"),
        ("proof/inclusion?index=0&at=3", "at: is not asked for here. Known: index, size"),
        ("proof/consistency", "from: say from which size"),
        ("proof/consistency?from=0", "from: must be a whole number from 1"),
        ("proof/consistency?from=7&to=6", "cannot begin with one of 7"),
        ("proof/consistency?from=5000", "cannot begin with one of 5000"),
        ("proof/consistency?from=1&to=5000", "not 5000"),
        ("proof/consistency?from=", "from: must be a whole number from 1"),
    ],
)
def test_a_question_without_an_answer_is_told_what_is_wrong(agent: Caller, log: int, path: str, what: str):
    answer = agent.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert what in answer.json()["detail"]


def test_nothing_is_proved_from_a_log_that_does_not_agree_with_what_was_signed(agent: Caller, log: int):
    agent.get("checkpoint")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_entry SET leaf = sha256('other') WHERE index = 3")
    answer = agent.get("proof/inclusion?index=5")
    assert (answer.status_code, answer.json()["code"]) == (500, "log-damaged")
    assert "ledger verify" in answer.json()["remedy"]
    assert "leaf" not in answer.json()


# --- Tiles --------------------------------------------------------------------------------------------------------


def test_a_full_tile_may_be_kept_for_ever(agent: Caller, log: int):
    answer = agent.get("tile/0/001")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Cache-Control"] == IMMUTABLE
    assert {"Authorization", "Cookie"} <= set(re.split(r", *", answer["Vary"]))
    leaves = Entry.objects.filter(index__gte=256, index__lt=512).order_by("index").values_list("leaf", flat=True)
    assert answer.content == b"".join(map(bytes, leaves))


def test_a_tile_that_the_caller_has_is_not_sent_again(agent: Caller, log: int):
    tag = agent.get("tile/0/000")["ETag"]
    again = agent.get("tile/0/000", **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


def test_a_partial_tile_is_kept_for_a_short_time(agent: Caller, log: int):
    answer = agent.get("tile/0/002.p/188")
    assert len(answer.content) == 188 * 32
    assert answer["Cache-Control"] == "private, max-age=60"


def test_a_tile_of_a_higher_level_holds_roots(agent: Caller, log: int):
    assert agent.get("tile/1/000.p/2").content[:32] == merkle.root_of(
        agent.get("tile/0/000").content[at : at + 32] for at in range(0, 8192, 32)
    )


def test_whoever_has_the_tiles_can_compute_the_root_of_the_checkpoint(agent: Caller, log: int):
    body = agent.get("checkpoint", Accept="application/json").json()
    packed = b"".join(
        agent.get(f"tile/0/{at // 256:03}" + (f".p/{log - at}" if log - at < 256 else "")).content
        for at in range(0, log, 256)
    )
    assert merkle.root_of(packed[at : at + 32] for at in range(0, len(packed), 32)).hex() == body["root"]


def test_a_bundle_holds_what_the_leaves_hash(person: Caller, log: int):
    packed, leaves = person.get("tile/entries/000").content, b""
    while packed:
        end = 2 + int.from_bytes(packed[:2])
        leaves += merkle.leaf_hash(packed[2:end])
        packed = packed[end:]
    assert leaves == person.get("tile/0/000").content


def test_bundles_of_entries_are_for_people(agent: Caller, log: int):
    answer = agent.get("tile/entries/000")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert "are for people" in answer.json()["detail"]


@pytest.mark.parametrize(
    "tile",
    [
        "0/003", "0/002", "0/002.p/256", "0/x001/000", "1/000", "2/000.p/1", "9/000.p/1", "63/x123/x456/789.p/1",
        "entries/002", "entries/003.p/1", "0/x999/x999/x999/x999/x999/999",
    ],
)  # fmt: skip
def test_what_the_log_has_not_reached_is_not_found(person: Caller, log: int, tile: str):
    answer = person.get(f"tile/{tile}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not-in-log"


@pytest.mark.parametrize(
    ("tile", "what"),
    [
        ("0/1", "groups of three digits"),
        ("0/0001", "groups of three digits"),
        ("0/x000/001", "groups of three digits"),
        ("0/001/002", "groups of three digits"),
        ("0/000.p/0", "groups of three digits"),
        ("0/000.p/01", "groups of three digits"),
        ("0/000.p/256", "1 to 255"),
        ("0/000.p/999", "1 to 255"),
        ("0/%D9%A0%D9%A0%D9%A0", "groups of three digits"),
        ("00/000", "levels are 0 to 63"),
        ("64/000", "levels are 0 to 63"),
        ("-1/000", "levels are 0 to 63"),
        ("data/000", "levels are 0 to 63"),
        ("entries/0", "groups of three digits"),
    ],
)
def test_an_address_that_is_none_is_explained(person: Caller, log: int, tile: str, what: str):
    answer = person.get(f"tile/{tile}")
    assert answer.status_code == 404
    assert what in answer.json()["detail"]


# --- Entries ------------------------------------------------------------------------------------------------------


def test_an_entry_comes_with_the_text_that_was_hashed(person: Caller, log: int):
    body = person.get("entries/300").json()
    assert sha256(b"\x00" + body["header"].encode()).hexdigest() == body["leaf"]
    assert (body["index"], body["principal"], body["archived"]) == (300, "agent:bot-20", False)
    listed = person.get("entries?before=301&limit=1").json()["results"][0]
    assert {**body, "header": None, "archived": None} == {**listed, "header": None, "archived": None}


def test_no_event_has_a_field_that_the_answer_adds():
    fields = {name for kind in KINDS.values() for name in (*kind.required, *kind.optional)}
    assert not fields & {"header", "archived", "leaf", "title"}


def test_an_agent_reads_entries_of_its_own_only(agent: Caller, log: int):
    own = ledger.append("statement.denied", principal="agent:analyst-bot").index
    other = ledger.append("statement.denied", principal="agent:other-bot").index
    assert agent.get(f"entries/{own}").status_code == 200
    assert agent.get(f"entries/{other}").json() == {
        **agent.get("entries/99999").json(),
        "detail": f"There is no entry {other}, or it is not yours to see.",
    }


@pytest.mark.parametrize("index", ["5000", "9223372036854775807", "99999999999999999999999"])
def test_an_entry_that_is_not_there_is_not_found(person: Caller, log: int, index: str):
    answer = person.get(f"entries/{index}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-entry")


def damage(header: bytes) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_entry SET header = %s WHERE index = 300", [header])


def test_an_entry_that_was_changed_is_shown_as_it_stands(person: Caller, agent: Caller, log: int):
    damage(b"[1, 2")
    body = person.get("entries/300").json()
    assert (body["header"], body["unreadable"]) == ("[1, 2", True)
    assert agent.get("entries/300").status_code == 404


def test_an_entry_that_is_not_even_text_is_told_as_damage(person: Caller, log: int):
    damage(b"\xff\xfe")
    answer = person.get("entries/300")
    assert (answer.status_code, answer.json()["code"]) == (500, "log-damaged")


# --- Archived -----------------------------------------------------------------------------------------------------


@pytest.fixture
def archived(log: int, tmp_path: Path) -> Path:
    """The first 512 entries are in an archive in this folder."""
    archive(Entry.objects.get(index=699).time, actor="user:root", destination=str(tmp_path))
    assert Head.objects.get(id=1).first == 512
    return tmp_path


def test_an_archived_entry_is_read_and_proved_like_any_other(person: Caller, archived: Path):
    body = person.get("entries/300").json()
    assert (body["index"], body["archived"]) == (300, True)
    proof = person.get("proof/inclusion?index=300").json()
    leaf = merkle.leaf_hash(body["header"].encode())
    assert leaf.hex() == proof["leaf"] == body["leaf"]
    assert merkle.verify_inclusion(leaf, 300, proof["size"], hashes(proof["proof"]), bytes.fromhex(proof["root"]))


def test_bundles_of_archived_entries_stay(person: Caller, archived: Path):
    packed, leaves = person.get("tile/entries/001").content, b""
    while packed:
        end = 2 + int.from_bytes(packed[:2])
        leaves += merkle.leaf_hash(packed[2:end])
        packed = packed[end:]
    assert leaves == person.get("tile/0/001").content


def test_a_lost_archive_is_told_and_proofs_go_on(person: Caller, archived: Path):
    for file in archived.rglob("*.parquet"):
        file.unlink()
    for path in ("entries/300", "tile/entries/001"):
        answer = person.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "archive-unavailable")
    assert person.get("proof/inclusion?index=300").status_code == 200


# --- For all ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["checkpoint", "keys", "proof/inclusion?index=0", "tile/0/000", "tile/entries/000", "entries/0"]
)
def test_nobody_reads_the_log_without_a_token(log: int, path: str):
    answer = Client().get(f"/api/v1/audit/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "proof/inclusion?index=0"])
def test_the_log_is_read_only(agent: Caller, log: int, path: str):
    answer = Client().post(f"/api/v1/audit/{path}", headers={"Authorization": f"Bearer {agent.token}"})
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")


def test_every_call_is_in_the_openapi_document():
    document = Client().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    paths = {path.removeprefix("/api/v1/audit/"): calls for path, calls in document["paths"].items()}
    assert {
        "checkpoint", "proof/inclusion", "proof/consistency", "tile/{level}/{tile}", "tile/entries/{tile}", "keys",
        "entries/{index}",
    } <= set(paths)  # fmt: skip
    assert set(paths["checkpoint"]["get"]["responses"]["200"]["content"]) == {"text/plain", "application/json"}
    assert set(paths["tile/{level}/{tile}"]["get"]["responses"]["200"]["content"]) == {"application/octet-stream"}


# --- By hand ------------------------------------------------------------------------------------------------------


def blocks(language: str) -> str:
    page = (ground.REPOSITORY / "docs" / "verify-by-hand.md").read_text()
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (only,) = found
    return only


def run_check(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    (folder / "check.py").write_text(blocks("python"))
    command = [sys.executable, "-I", "check.py", key, "entry.json", "proof.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def fetched(web_server: Server, person: Caller, log: int, tmp_path: Path) -> Path:
    """A folder with what the page's curl commands bring."""
    environment = {"PATH": os.environ["PATH"], "URL": web_server.url, "TOKEN": person.token, "INDEX": "300"}
    subprocess.run(["bash", "-ec", blocks("bash")], cwd=tmp_path, env=environment, check=True, timeout=60)
    return tmp_path


def test_the_page_s_own_program_proves_an_entry(fetched: Path, log: int):
    done = run_check(fetched, keys.current_key().verifier_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("proved: statement.denied of ")
    assert done.stdout.endswith(f"is entry 300 of {log} in {keys.origin()}\n")


@pytest.mark.parametrize(
    ("file", "member", "change"),
    [
        ("entry.json", "header", lambda text: text.replace('"risk":0', '"risk":1')),
        ("proof.json", "proof", lambda texts: texts[1:]),
        ("proof.json", "proof", lambda texts: [*texts, texts[0]]),
        ("proof.json", "index", lambda index: index + 1),
        ("proof.json", "checkpoint", lambda note: note.replace("\n", "x\n", 1)),
    ],
    ids=["header", "short", "long", "index", "origin"],
)
def test_the_page_s_own_program_finds_what_was_changed(fetched: Path, file: str, member: str, change: Any):
    body = orjson.loads((fetched / file).read_bytes())
    changed = change(body[member])
    assert changed != body[member]
    (fetched / file).write_bytes(orjson.dumps({**body, member: changed}))
    assert run_check(fetched, keys.current_key().verifier_key).returncode != 0


def test_the_page_s_own_program_believes_only_the_key_that_it_was_given(fetched: Path):
    keys.rotate("user:root")
    done = run_check(fetched, keys.current_key().verifier_key)
    assert done.returncode != 0
    assert "your key did not sign" in done.stderr
