"""The syslog door, against a server that speaks TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.forwarding import administration, running, syslog
from audit.merkle import leaf_hash
from audit.models import Entry, Forwarder
from tests.audit.forwarding.conftest import Grow
from tests.audit.forwarding.receivers import Authority, Syslog, syslog_server, without_repeats


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[Syslog]:
    with syslog_server(authority.issue("127.0.0.1"), folder=tmp_path) as one:
        yield one


def add(server: Syslog, **certificates: str) -> None:
    administration.add("siem", "syslog", server.address, actor="test", certificates=certificates)


def problem() -> str:
    return Forwarder.objects.get().problem


def test_messages_are_rfc_5424_and_hold_the_entry_as_it_is_hashed(server: Syslog, authority: Authority, grow: Grow):
    add(server, ca=authority.certificate)
    size = grow(3)
    assert not running.work("siem")
    assert server.indexes == list(range(size))
    entry, message = Entry.objects.get(index=2), server.messages[2]
    assert leaf_hash(message["text"]) == bytes(entry.leaf)
    assert message["id"] == message["kind"] == b"statement.denied"
    assert (message["pri"], message["app"]) == (b"108", b"countersign")
    assert message["time"].decode() == entry.fields["time"]
    assert Forwarder.objects.get().next == size


def test_a_receiver_that_dies_with_unread_messages_gets_them_again(server: Syslog, authority: Authority, grow: Grow):
    add(server, ca=authority.certificate)
    size = grow(200)
    server.dies_after = 20
    running.work("siem")
    assert Forwarder.objects.get().next == 0
    assert problem()
    running.work("siem")
    assert without_repeats(server.indexes) == list(range(size))


def test_a_receiver_that_does_not_end_the_connection_has_not_confirmed(
    syslog: Syslog, grow: Grow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("audit.forwarding.syslog.CONFIRM_SECONDS", 0.3)
    syslog.silent = True
    add(syslog)
    grow(1)
    running.work("siem")
    assert "not known whether it has read everything" in problem()
    assert Forwarder.objects.get().next == 0


def test_an_unknown_authority_is_refused(server: Syslog, grow: Grow):
    add(server)
    grow(1)
    running.work("siem")
    assert "certificate verify failed" in problem()
    assert server.messages == []


def test_a_certificate_of_another_host_is_refused(authority: Authority, grow: Grow, tmp_path: Path):
    with syslog_server(authority.issue("other.example.com"), folder=tmp_path) as server:
        add(server, ca=authority.certificate)
        grow(1)
        running.work("siem")
        assert "IP address mismatch" in problem()
        assert server.messages == []


def test_a_client_certificate_is_shown(authority: Authority, grow: Grow, tmp_path: Path):
    ours = authority.issue("countersign.example.com")
    pair = authority.issue("127.0.0.1")
    with syslog_server(pair, clients_by=authority.certificate, folder=tmp_path) as server:
        add(server, ca=authority.certificate, certificate=ours.certificate, key=ours.key)
        size = grow(1)
        running.work("siem")
        assert server.indexes == list(range(size))
        assert server.peers[0]["subject"] == ((("commonName", "countersign.example.com"),),)


def test_structured_data_is_escaped():
    assert syslog._escaped('a"b]c\\d') == 'a\\"b\\]c\\\\d'
