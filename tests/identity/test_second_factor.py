"""Second factors: kept sealed, shown at sign-in, counted once and for one session, recorded, and taken away when lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from audit.ledger import LedgerUnavailable
from audit.models import Entry
from identity.errors import IdentityError
from identity.models import User
from identity.people import add_user
from identity.second_factor import factors_of, has_factor, reset, shown_at
from tests.factories import ACTOR, PASSWORD
from tests.identity.factors import age_session, code_of, forget_used_codes, give_app, give_recovery_codes

SHOW = "/accounts/2fa/show/"


@pytest.fixture
def rita(control_db: str) -> User:
    return add_user("rita", PASSWORD, ["dba"], actor=ACTOR)


@pytest.fixture
def key(rita: User) -> str:
    return give_app(rita)


@pytest.fixture
def client(rita: User) -> Client:
    """Signed in by nothing but her session."""
    client = Client()
    client.force_login(rita)
    return client


def with_password(who: str = "rita") -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": who, "password": PASSWORD})
    return client


def shown(client: Client, user: User) -> object:
    http = RequestFactory().get("/")
    http.user, http.session = user, client.session
    return shown_at(http)


def entries() -> list[tuple[str, str, str]]:
    """Kind, factor and reason of what was recorded of factors."""
    found = Entry.objects.filter(kind__startswith="factor.").order_by("index")
    return [(one.kind, one.fields.get("factor", ""), one.fields.get("reason", "")) for one in found]


# --- Signing in ---------------------------------------------------------------------------------------------------


def test_a_person_without_a_factor_signs_in_with_the_password(rita: User) -> None:
    assert with_password().get("/").status_code == 200


def test_a_password_alone_does_not_sign_in_who_has_a_factor(rita: User, key: str) -> None:
    client = with_password()
    assert client.get("/").status_code == 302
    assert "Your second factor" in client.get("/accounts/2fa/authenticate/").text


def test_the_app_s_code_signs_in_and_has_been_shown_from_then_on(rita: User, key: str) -> None:
    client = with_password()
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(key)})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert shown(client, rita) is not None
    assert entries() == [("factor.shown", "app", "at sign-in")]


def test_whoever_asked_for_a_page_gets_it_after_the_second_factor(rita: User, key: str) -> None:
    client = Client()
    client.post("/accounts/login/?next=/requests/", {"login": "rita", "password": PASSWORD})
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(key)})["Location"] == "/requests/"


def test_a_wrong_code_signs_nobody_in_and_is_recorded(rita: User, key: str) -> None:
    client = with_password()
    answer = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "That is not right" in answer.text
    assert client.get("/").status_code == 302
    assert entries() == [("factor.refused", "code", "not right")]


# --- Each code once -----------------------------------------------------------------------------------------------


def test_a_code_that_signed_in_is_refused_when_it_comes_again(rita: User, key: str) -> None:
    code = code_of(key)
    client = with_password()
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert "has been used" in client.post(SHOW, {"code": code}).text
    assert entries()[-1] == ("factor.refused", "code", "used before")


def test_a_code_is_refused_again_also_where_the_count_of_tries_was_lost(client: Client, rita: User, key: str) -> None:
    code = code_of(key)
    assert client.post(SHOW, {"code": code}).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_attempts")
    assert "has been used" in client.post(SHOW, {"code": code}).text


def test_a_code_from_before_the_last_one_is_refused(client: Client, rita: User, key: str) -> None:
    client.post(SHOW, {"code": code_of(key, later=1)})
    assert client.post(SHOW, {"code": code_of(key)}).status_code == 200


@pytest.mark.parametrize(("later", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_be_half_a_minute_apart(
    client: Client, key: str, later: int, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_015.0)
    assert (client.post(SHOW, {"code": code_of(key, later)}).status_code == 302) is good


def test_a_recovery_code_stands_in_once_and_its_use_is_recorded(client: Client, rita: User, key: str) -> None:
    code = give_recovery_codes(rita)[0]
    assert client.post(SHOW, {"code": f"{code[:4]} {code[4:]}"}).status_code == 302
    assert client.post(SHOW, {"code": code}).status_code == 200
    assert entries() == [("factor.shown", "recovery codes", "asked for again"), ("factor.refused", "code", "not right")]


def test_the_sixth_try_is_not_looked_at(client: Client, rita: User, key: str) -> None:
    for _ in range(5):
        client.post(SHOW, {"code": "000000"})
    assert "Too many failed" in client.post(SHOW, {"code": code_of(key)}).text
    assert shown(client, rita) is None
    assert len(entries()) == 5


# --- What counts as shown -----------------------------------------------------------------------------------------


def removed(client: Client, user: User) -> None:
    reset(user, actor=ACTOR)


def moved_to_another_session(client: Client, user: User) -> None:
    client.cookies.clear()
    client.force_login(user)


def signed_out(client: Client, user: User) -> None:
    client.post("/accounts/logout/")
    client.force_login(user)


def replaced(client: Client, user: User) -> None:
    reset(user, actor=ACTOR)
    give_app(user)


@pytest.mark.parametrize(
    ("happens", "counts"),
    [
        pytest.param(lambda *_: None, True, id="nothing"),
        pytest.param(removed, False, id="the factor is taken away"),
        pytest.param(replaced, False, id="the factor is replaced by another"),
        pytest.param(moved_to_another_session, False, id="another session of hers"),
        pytest.param(signed_out, False, id="signing out and in again"),
    ],
)
def test_what_was_shown_counts_for_its_session_while_the_factor_is_there(
    client: Client, rita: User, key: str, happens: Callable[[Client, User], None], counts: bool
) -> None:
    client.post(SHOW, {"code": code_of(key)})
    happens(client, rita)
    assert (shown(client, rita) is not None) is counts


def test_a_password_shown_again_is_no_second_factor(client: Client, rita: User) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert shown(client, rita) is None


def test_the_moment_is_when_it_was_shown_last(client: Client, rita: User, key: str) -> None:
    client.post(SHOW, {"code": code_of(key)})
    age_session(client, 3600)
    first = shown(client, rita)
    forget_used_codes(rita)
    client.post(SHOW, {"code": code_of(key)})
    second = shown(client, rita)
    assert isinstance(first, type(second))
    assert second - first >= timedelta(hours=1)  # type: ignore[operator]
    assert second <= timezone.now()  # type: ignore[operator]


def test_p3_what_cannot_be_recorded_was_not_shown(
    client: Client, rita: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object, **_fields: object) -> None:
        raise LedgerUnavailable("away")

    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("audit.ledger.append", away)
        patch.setattr("audit.ledger.append_within", away)
        assert client.post(SHOW, {"code": code_of(key)}).status_code == 503
    assert shown(client, rita) is None


# --- Setting up and removing --------------------------------------------------------------------------------------


def set_up_app(client: Client) -> str:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    key = str(client.session["mfa.totp.secret"])
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})
    return key


def test_an_app_is_set_up_with_the_password_and_a_code(client: Client, rita: User) -> None:
    set_up_app(client)
    assert [factor.kind for factor in factors_of(rita)] == ["app", "recovery codes"]
    assert entries() == [("factor.added", "app", ""), ("factor.added", "recovery codes", "")]
    assert Entry.objects.filter(kind="factor.added").first().fields["actor"] == "user:rita"  # type: ignore[union-attr]


def test_the_code_that_set_an_app_up_is_good_for_nothing_else(client: Client, rita: User) -> None:
    key = set_up_app(client)
    assert "has been used" in client.post(SHOW, {"code": code_of(key)}).text


def test_setting_an_app_up_is_not_showing_it(client: Client, rita: User) -> None:
    set_up_app(client)
    assert shown(client, rita) is None


@pytest.mark.parametrize("page", ["/accounts/2fa/totp/deactivate/", "/accounts/2fa/webauthn/add/"])
def test_who_has_a_factor_shows_it_before_changing_any_and_the_password_does_not_do(
    client: Client, rita: User, key: str, page: str
) -> None:
    assert client.get(page)["Location"] == f"{SHOW}?next={page.replace('/', '%2F')}"
    assert client.get(f"/accounts/reauthenticate/?next={page}")["Location"].startswith(SHOW)
    client.post(SHOW, {"code": code_of(key)})
    assert client.get(page).status_code == 200


def test_removing_the_only_factor_takes_the_recovery_codes_with_it(client: Client, rita: User, key: str) -> None:
    give_recovery_codes(rita)
    client.post(SHOW, {"code": code_of(key)})
    client.post("/accounts/2fa/totp/deactivate/")
    assert factors_of(rita) == []
    assert entries()[1:] == [("factor.removed", "app", ""), ("factor.removed", "recovery codes", "")]


def test_p3_a_factor_that_cannot_be_recorded_is_not_added(rita: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_fields: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr("audit.ledger.append", away)
    with pytest.raises(LedgerUnavailable):
        Authenticator.objects.create(user=rita, type="totp", data={"secret": "x"})
    assert not has_factor(rita)


# --- At rest ------------------------------------------------------------------------------------------------------


def test_no_key_stands_in_the_database_in_the_clear(client: Client, rita: User) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    key = str(client.session["mfa.totp.secret"])
    session = Session.objects.get()
    # Signed and compressed by Django; what is in it is sealed.
    from django.core import signing

    inside = signing.b64_decode(session.session_data.split(":")[0].lstrip(".").encode())
    assert key.encode() not in inside
    assert b"_auth_user_id" not in inside
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert key not in rows


def test_a_session_that_does_not_open_is_an_empty_one(client: Client, settings: object) -> None:
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["another key that is long enough to be one"]  # type: ignore[attr-defined]
    assert client.get("/")["Location"].startswith("/accounts/login/")


def test_a_factor_whose_key_is_gone_refuses_and_says_whom_to_ask(rita: User, key: str, settings: object) -> None:
    settings.COUNTERSIGN_ENCRYPTION_KEYS = ["another key that is long enough to be one"]  # type: ignore[attr-defined]
    answer = with_password().post("/accounts/2fa/authenticate/", {"code": code_of(key)})
    assert "An administrator can take it away" in answer.text
    assert entries() == [("factor.refused", "code", "cannot be opened")]


# --- Lost factors -------------------------------------------------------------------------------------------------


def run(*words: str) -> str:
    out = StringIO()
    call_command("factor", *words, stdout=out)
    return out.getvalue()


def test_an_operator_takes_lost_factors_away_and_says_why(rita: User, key: str) -> None:
    assert "app" in run("list", "rita")
    assert "Taken away from rita: app" in run("reset", "rita", "--reason", "phone stolen")
    assert not has_factor(rita)
    assert entries() == [("factor.removed", "app", "phone stolen")]


def test_there_must_be_something_to_take_away(rita: User) -> None:
    assert run("list", "rita") == "rita has no second factor.\n"
    with pytest.raises(IdentityError, match="rita has no second factor"):
        reset(rita, actor=ACTOR)
    with pytest.raises(CommandError, match="no second factor"):
        run("reset", "rita")


def test_after_a_reset_the_password_signs_in_and_leads_to_setting_one_up(rita: User, key: str) -> None:
    reset(rita, actor=ACTOR)
    client = with_password()
    assert client.get(SHOW)["Location"] == "/accounts/2fa/"
    assert "You have no second factor" in client.get("/accounts/2fa/").text
