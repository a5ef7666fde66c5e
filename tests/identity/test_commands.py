"""`agent` and `credential` as an operator types them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from identity.credentials import TOKEN, authenticate, issue
from identity.errors import NotAuthenticated
from identity.models import Agent, Credential, User
from manage import main

Run = Callable[..., tuple[str, str]]


def run(*words: str) -> tuple[str, str]:
    """What went to stdout and stderr."""
    out, err = StringIO(), StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*words)
    return str(error.value)


# --- agent ----------------------------------------------------------------------------------------------------------


def test_agent_add_adds_it_and_says_what_comes_next(alice: User) -> None:
    out, _ = run("agent", "add", "writer", "--owner", "alice", "--group", "agents", "--group", "night")
    assert "credential issue writer" in out
    agent = Agent.objects.get(name="writer")
    assert (agent.owner, {group.name for group in agent.groups.all()}) == (alice, {"agents", "night"})


def test_agent_list_tells_owner_groups_and_state(bot: Agent) -> None:
    assert run("agent", "list")[0] == "analyst-bot\towner alice\tagents\tactive\n"


def test_agent_deactivate_ends_it(bot: Agent) -> None:
    assert "ended" in run("agent", "deactivate", "analyst-bot")[0]
    assert "ended" in run("agent", "list")[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["add", "writer", "--owner", "nobody"], "Known: alice", id="an owner who is not there"),
        pytest.param(["add", "Writer", "--owner", "alice"], "lower-case", id="a name that is not well formed"),
        pytest.param(["add", "analyst-bot", "--owner", "alice"], "taken", id="a name that is taken"),
        pytest.param(["add", "writer"], "--owner", id="no owner"),
        pytest.param(["add", "writer", "--owner", "alice", "--group", ""], "group", id="a group without a name"),
        pytest.param(["deactivate", "nobody"], "Known: analyst-bot", id="an agent that is not there"),
        pytest.param([], "add | list | deactivate", id="no verb"),
        pytest.param(["remove", "x"], "invalid choice", id="another verb"),
    ],
)
def test_agent_says_what_is_wrong(bot: Agent, words: list[str], says: str) -> None:
    assert says in refused("agent", *words)


# --- credential -----------------------------------------------------------------------------------------------------


def test_credential_issue_prints_the_token_alone_on_stdout(bot: Agent) -> None:
    out, err = run("credential", "issue", "analyst-bot")
    token = out.rstrip("\n")
    assert TOKEN.match(token)
    assert authenticate(token).name == "analyst-bot"
    assert token.rsplit("_", 1)[1] not in err


def test_credential_issue_takes_a_person_too(alice: User) -> None:
    assert authenticate(run("credential", "issue", "alice")[0].strip()).label == "user:alice"


@pytest.mark.parametrize(
    ("text", "time"), [("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)), ("30d", timedelta(30))]
)
def test_credential_issue_takes_a_time_to_live(bot: Agent, text: str, time: timedelta) -> None:
    run("credential", "issue", "analyst-bot", "--expires", text)
    expires_at = Credential.objects.get().expires_at
    assert expires_at is not None
    assert abs(expires_at - timezone.now() - time) < timedelta(minutes=1)


def test_credential_list_never_shows_a_token(bot: Agent) -> None:
    issued = issue(bot, issued_by="test")
    out, _ = run("credential", "list")
    assert issued.credential.prefix in out
    assert issued.token.rsplit("_", 1)[1] not in out


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(lambda issued: str(issued.credential.pk), id="by its id"),
        pytest.param(lambda issued: issued.credential.prefix, id="by its prefix"),
        pytest.param(lambda issued: f"cs_{issued.credential.prefix}", id="by the prefix as it is shown"),
        pytest.param(lambda issued: f"cs_{issued.credential.prefix}_…", id="as the list shows it"),
        pytest.param(lambda issued: issued.token, id="by the token"),
    ],
)
def test_credential_revoke_ends_it(bot: Agent, name: Any) -> None:
    issued = issue(bot, issued_by="test")
    out, _ = run("credential", "revoke", name(issued))
    assert str(issued.credential.pk) in out
    with pytest.raises(NotAuthenticated):
        authenticate(issued.token)


def test_credential_revoke_never_takes_the_beginning_of_something_else_for_a_prefix(bot: Agent) -> None:
    issued = issue(bot, issued_by="test")
    Credential.objects.update(prefix="0123abcd")
    for text in ("0123abcd-0000-4000-8000-000000000000", "0123abcdef", "0123abc", "cs_0123abcd_short"):
        assert "no credential" in refused("credential", "revoke", text)
    issued.credential.refresh_from_db()
    assert issued.credential.revoked_at is None


def test_p8_credential_revoke_works_while_redis_is_away(bot: Agent, settings: Any) -> None:
    issued = issue(bot, issued_by="test")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    run("credential", "revoke", str(issued.credential.pk))
    with pytest.raises(NotAuthenticated):
        authenticate(issued.token)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["issue", "nobody"], "no agent or user named 'nobody'", id="nobody"),
        pytest.param(["issue", "analyst-bot", "--expires", "soon"], "30m, 12h, 30d", id="no duration"),
        pytest.param(["issue", "analyst-bot", "--expires", "0d"], "30m, 12h, 30d", id="no time at all"),
        pytest.param(["issue", "analyst-bot", "--expires", "-1d"], "--expires", id="a time that is over"),
        pytest.param(["issue"], "AGENT", id="no name"),
        pytest.param(["revoke", "x"], "no credential 'x'", id="an id that is not there"),
        pytest.param(["revoke", "00000000-0000-4000-8000-000000000000"], "no credential", id="an unknown id"),
        pytest.param([], "issue | list | revoke", id="no verb"),
    ],
)
def test_credential_says_what_is_wrong(bot: Agent, words: list[str], says: str) -> None:
    assert says in refused("credential", *words)
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["credential", "issue", "nobody"], 1),
        (["credential", "revoke", "x"], 1),
        (["agent", "deactivate", "nobody"], 1),
        (["agent", "add", "writer"], 2),
        (["credential"], 2),
        (["credential", "--help"], 0),
    ],
)
def test_the_exit_code_tells(
    bot: Agent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert code == 0 or not capsys.readouterr().out
