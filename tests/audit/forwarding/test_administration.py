"""Adding and changing forwarders: what is refused, what is recorded, what the command prints."""

from __future__ import annotations

from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from audit.forwarding import administration
from audit.forwarding.errors import ForwarderRefused
from audit.forwarding.health import health_of
from audit.models import Entry, Forwarder
from tests.audit.forwarding.conftest import Grow
from tests.audit.forwarding.receivers import Authority

pytestmark = pytest.mark.usefixtures("control_db")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ledger", "forward", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("file", "/etc/passwd"),
        ("file", "../outside.ndjson"),
        ("file", "a/../../outside.ndjson"),
        ("file", ".hidden"),
        ("webhook", "http://siem.example.com/hook"),
        ("webhook", "http://169.254.169.254/latest"),
        ("webhook", "ftp://siem.example.com"),
        ("webhook", "https://user:password@siem.example.com/"),
        ("webhook", "https://siem.example.com/a b"),
        ("syslog", "tcp://siem.example.com:601"),
        ("syslog", "siem.example.com"),
        ("syslog", "tls://siem.example.com:99999"),
        ("pigeon", "https://siem.example.com"),
    ],
)
def test_addresses_that_lead_elsewhere_are_refused(kind: str, address: str):
    with pytest.raises(ForwarderRefused):
        administration.add("siem", kind, address, actor="test")
    assert not Forwarder.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "A b"}, "name"),
        ({"form": "xml"}, "form"),
        ({"kinds": ["no.such"]}, "kinds"),
        ({"secret": "short"}, "secret"),
        ({"first": 10}, "first"),
        ({"first": -1}, "first"),
        ({"most_bytes": 20_000}, "most_bytes"),
        ({"certificates": {"ca": "no certificate"}}, "ca"),
        ({"certificates": {"ca": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"}}, "ca"),
        ({"certificates": {"certificate": "-----BEGIN …"}}, "certificate"),
        ({"certificates": {"cert": "-----BEGIN …"}}, "ca"),
    ],
)
def test_what_cannot_be_is_told_with_its_field(change: dict[str, Any], field: str):
    given: dict[str, Any] = {"name": "siem", "kind": "webhook", "address": "https://siem.example.com/hook", **change}
    with pytest.raises(ForwarderRefused) as refused:
        administration.add(actor="test", **given)
    assert refused.value.field == field


def test_a_key_that_does_not_fit_is_refused(authority: Authority):
    one, other = authority.issue("a"), authority.issue("b")
    with pytest.raises(ForwarderRefused, match="do not fit"):
        administration.add(
            "siem", "syslog", "tls://siem.example.com", actor="test",
            certificates={"certificate": one.certificate, "key": other.key},
        )  # fmt: skip


def test_two_forwarders_do_not_share_a_file():
    administration.add("one", "file", "log.ndjson", actor="test")
    with pytest.raises(ForwarderRefused, match="Another forwarder writes"):
        administration.add("two", "file", "log.ndjson", actor="test")


def test_every_change_is_an_entry_without_secrets(control_db: str):
    made = administration.add("hook", "webhook", "https://siem.example.com/hook", actor="user:root").secret
    second = administration.change_secret("hook", actor="user:root").secret
    administration.switch("hook", active=False, actor="user:root")
    administration.remove("hook", actor="user:root")
    entries = list(Entry.objects.order_by("index"))
    assert [one.kind for one in entries] == [
        "forwarder.added", "forwarder.changed", "forwarder.changed", "forwarder.removed",
    ]  # fmt: skip
    assert all(made not in str(one.fields) and second not in str(one.fields) for one in entries)


def test_secrets_are_sealed_in_the_database(control_db: str):
    secret = administration.add("hook", "webhook", "https://siem.example.com/hook", actor="test").secret
    with psycopg.connect(control_db) as session:
        row = session.execute("SELECT config FROM audit_forwarder").fetchone()
    assert row is not None
    assert secret.encode() not in bytes(row[0])


def test_it_may_begin_with_what_happens_next(grow: Grow):
    size = grow(3)
    assert administration.add("siem", "file", "log.ndjson", actor="test", first=None).forwarder.next == size


def test_health_tells_how_much_waits_and_since_when(grow: Grow):
    forwarder = administration.add("siem", "file", "log.ndjson", actor="test").forwarder
    size = grow(2)
    health = health_of(forwarder)
    assert (health.lag, health.oldest) == (size, Entry.objects.get(index=0).time)


def test_the_command_adds_lists_pauses_resumes_and_removes():
    assert "There is no forwarder" in run("list")
    said = run("add", "hook", "--kind", "webhook", "--address", "https://siem.example.com/hook")
    assert "hook sends entries from 0 on" in said
    assert "The secret, which is not shown again: " in said
    assert "next is entry 0, 1 wait" in run("list")
    assert "is paused before entry 0" in run("pause", "hook")
    assert "paused" in run("list")
    assert "goes on with entry 0" in run("resume", "hook")
    assert "not shown again" in run("secret", "hook")
    assert "newest secret only" in run("secret", "hook", "--drop-previous")
    assert "was removed" in run("remove", "hook")


def test_the_secret_of_the_environment_is_taken_and_not_printed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COUNTERSIGN_FORWARD_SECRET", "given-by-somebody-who-made-it-up")
    said = run("add", "hook", "--kind", "webhook", "--address", "https://siem.example.com/hook")
    assert "given-by" not in said
    assert Forwarder.objects.get().config["secrets"] == ["given-by-somebody-who-made-it-up"]


@pytest.mark.parametrize("verb", ["pause", "resume", "remove", "secret"])
def test_a_forwarder_that_is_not_there_is_told(verb: str):
    with pytest.raises(CommandError, match="There is no forwarder named 'nobody'"):
        run(verb, "nobody")
