"""The page of one request: each fact in its place, who sees what, and that what is approved is what was seen."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals import services
from approvals.grants.services import break_glass, request_elevation, revoke
from approvals.models import Request, Review
from approvals.states import State
from approvals.web.request_pages import seen_of
from audit import search
from gateway import editing, execution, impact
from gateway.pipeline import submit
from identity.models import User
from tests.factories import Cast, make_user
from tests.fixtures.databases import TargetDatabase
from tests.web.conftest import Park, SignIn

pytestmark = pytest.mark.usefixtures("nobody_works")
OPEN_ORDERS = "DELETE FROM orders WHERE status = 'open'"
STEERED = "UPDATE customers SET plan = 'paid' WHERE id > 0 AND email LIKE 'person1%'"
STAGES = [{"group": "dba", "quorum": 2, "stage": 1}, {"group": "security", "quorum": 1, "stage": 2}]
SECTIONS = ("live", "who", "target", "risk", "impact", "sql", "classified", "policies", "past", "timeline", "review")


def page(client: Client, request: Request) -> str:
    return client.get(reverse("request-detail", args=[request.pk])).text


def part(text: str, name: str) -> str:
    """The text of one section, without its tags."""
    found = re.search(rf'<(section|div|dl) [^>]*id="(?:request-)?{name}".*?</\1>', text, re.DOTALL)
    assert found is not None, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def demand(request: Request, **columns: Any) -> None:
    Request.objects.filter(pk=request.pk).update(**columns)
    request.refresh_from_db()


def post(client: Client, request: Request, **fields: Any) -> Any:
    given = {"verdict": "approve", "comment": "", "seen": seen_of(request)} | fields
    return client.post(reverse("request-review", args=[request.pk]), given, follow=True)


def edited(cast: Cast, request: Request, sql: str = "DELETE FROM orders WHERE status = 'new'") -> Request:
    editing.edit(cast.principal(cast.alice), request.query, sql, [])
    return Request.objects.get(pk=request.pk)


# --- Each fact, and where -----------------------------------------------------------------------------------------


def test_the_facts_come_in_the_order_in_which_a_reviewer_needs_them(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = page(sign_in(cast.rita), park(STEERED))
    places = [text.index(f'id="request-{name}"') for name in SECTIONS]
    assert places == sorted(places)


def test_the_sentence_has_numbers_once_they_are_measured(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.rita)
    assert "Deletes rows of public.orders on shop (production)." in part(page(client, request), "live")
    impact.measure(request.pk)
    assert "Deletes 15 of 60 rows of public.orders (25 %) on shop (production)." in part(page(client, request), "live")


def test_what_would_fail_is_said_first(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park("DELETE FROM customers WHERE id > 0")
    impact.measure(request.pk)
    assert "Would fail on shop (production): rows of another relation" in part(
        page(sign_in(cast.rita), request), "live"
    )


def test_who_asks_for_whom_and_why(cast: Cast, sign_in: SignIn) -> None:
    submission = cast.submission(OPEN_ORDERS, purpose="ticket 4711", on_behalf_of="the support team")
    request = submit(submission).query.request
    assert request is not None
    text = part(page(sign_in(cast.rita), request), "who")
    for needed in ("analyst-bot", "of alice", "ticket 4711", "the support team", submission.run.id, "REST"):
        assert needed in text


def test_where_it_acts(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    text = part(page(sign_in(cast.rita), request), "target")
    for needed in ("shop", "production", request.bound["role"], "public"):
        assert needed in text


def test_the_risk_is_taken_apart(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    text = part(page(sign_in(cast.rita), request), "risk")
    for one in request.risk_parts:
        assert f"{one['reason']} +{one['points']}" in text


def test_a_hazard_is_told_in_the_line_that_it_is_in(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = page(sign_in(cast.rita), park("DELETE\nFROM orders"))
    lines = re.findall(r'<span class="sql-line">(.*?)\n</span>', text, re.DOTALL)
    assert ["sql-note" in line for line in lines] == [False, True]


def test_classified_columns_are_told_with_their_use_and_mask(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = part(page(sign_in(cast.rita), park(STEERED)), "classified")
    assert re.search(r"public\.customers\.email email filter\S* shown as partial", text)
    assert "public.customers.phone phone not named" in text


def test_policies_stand_with_their_words_and_a_link_to_their_cards(cast: Cast, park: Park, sign_in: SignIn) -> None:
    text = page(sign_in(cast.rita), park())
    assert "This changes more rows than a key picks out" in part(text, "policies")
    assert re.search(r'href="/policy/[^"]*#policy-mass-write"', text)


def test_a_long_statement_is_folded(cast: Cast, park: Park, sign_in: SignIn) -> None:
    values = ",\n".join(map(str, range(9_000, 24_000)))
    text = page(sign_in(cast.rita), park(f"DELETE FROM orders WHERE id IN ({values})"))
    assert '<details class="card request-long">' in text
    assert "The statement: 15,000 lines" in text


def test_parameters_are_shown(cast: Cast, sign_in: SignIn) -> None:
    request = submit(cast.submission("DELETE FROM orders WHERE status = $1", params=["open-ish"])).query.request
    assert request is not None
    assert "<code>open-ish</code>" in page(sign_in(cast.rita), request)


# --- Earlier texts and requests -----------------------------------------------------------------------------------


def ran(cast: Cast, request: Request) -> Request:
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    execution.execute_request(request.pk)
    request.refresh_from_db()
    return request


def test_the_last_approved_version_stands_beside_it_with_what_differs(cast: Cast, park: Park, sign_in: SignIn) -> None:
    before = ran(cast, park("DELETE FROM orders WHERE status = 'closed'"))
    text = page(sign_in(cast.rita), park(OPEN_ORDERS))
    assert "Beside what was approved last" in text
    assert '<span class="diff-word">closed</span>' in text
    assert reverse("request-detail", args=[before.pk]) in text
    assert "the same but for constants" in part(text, "past")
    assert "dora" in part(text, "past")


def test_what_was_rejected_is_no_version_that_was_approved(cast: Cast, park: Park, sign_in: SignIn) -> None:
    services.review(park(OPEN_ORDERS).pk, cast.principal(cast.dora), "reject", "no")
    text = page(sign_in(cast.rita), park(OPEN_ORDERS))
    assert "Beside what was approved last" not in text
    assert "Rejected" in part(text, "past")


def test_the_like_of_it_is_found_by_what_it_touches(cast: Cast, park: Park, sign_in: SignIn) -> None:
    park("DELETE FROM orders WHERE customer_id = 3")
    park("DELETE FROM cards WHERE customer_id = 3")
    text = part(page(sign_in(cast.rita), park(OPEN_ORDERS)), "past")
    assert "DELETE FROM orders WHERE customer_id" in text
    assert "the same relations" in text
    assert "cards" not in text


def test_p2_earlier_requests_that_the_viewer_may_not_see_stay_out_of_sight(
    cast: Cast, park: Park, sign_in: SignIn
) -> None:
    before = ran(cast, park("DELETE FROM orders WHERE status = 'hidden-one'"))
    demand(before, required=[{"group": "others", "quorum": 1}])
    text = page(sign_in(cast.rita), park(OPEN_ORDERS))
    assert "hidden-one" not in text
    assert "Nothing like it that you may see" in text


def test_the_record_counts_how_whoever_asks_has_fared(cast: Cast, park: Park, sign_in: SignIn) -> None:
    ran(cast, park(OPEN_ORDERS))
    services.review(park().pk, cast.principal(cast.dora), "reject", "no")
    text = part(page(sign_in(cast.rita), park()), "past")
    for needed in ("2 asked", "1 approved", "1 ran", "1 rejected", "0 taken back since"):
        assert needed in text


def test_an_edit_shows_what_changed_and_voids_what_was_said(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park(OPEN_ORDERS)
    demand(request, required=[{"group": "dba", "quorum": 2}])
    services.review(request.pk, cast.principal(cast.dora), "approve", "fine")
    text = page(sign_in(cast.rita), edited(cast, request))
    assert "Edited: text 2 beside text 1" in text
    assert '<span class="diff-word">open</span>' in text
    assert "0 of 1" in part(text, "live")
    assert "Approved: text 1, which was edited since" in part(text, "timeline")


def test_what_drifted_is_told_on_both_pages(cast: Cast, park: Park, shop: TargetDatabase, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.rita)
    shop.admin.execute("ALTER TABLE orders ADD COLUMN note text")
    ran(cast, request)
    again = Request.objects.get(follows=request)
    assert "the column note is new" in part(page(client, request), "live")
    assert reverse("request-detail", args=[again.pk]) in page(client, request)
    text = page(client, again)
    assert "the column note is new" in part(text, "drift")
    assert "The same, sign for sign" in text


# --- What it waits for, and what the buttons do -------------------------------------------------------------------


def test_stages_tell_who_sits_where_and_what_is_blocked(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    demand(request, required=STAGES)
    services.review(request.pk, cast.principal(cast.dora), "approve", "")
    text = page(sign_in(cast.rita), request)
    live = part(text, "live")
    assert "Stage 1 of 2: waits for 1 more of dba. Stage 2 (1 of security) opens once that is complete." in live
    assert re.search(r"1 of 2 from group dba.*dora", live)
    assert "Stage 1 of 2 is then complete; 1 of security must still agree before it runs." in part(text, "review-what")


def test_approve_says_what_bounds_it(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.rita)
    assert "it is measured first, and that bounds its rows" in part(page(client, request), "review-what")
    impact.measure(request.pk)
    assert "It then runs at once, once, and changes at most 17 rows." in part(page(client, request), "review-what")


def test_a_window_is_told_by_the_clock_there(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%a").lower()
    demand(request, terms={"windows": [f"{tomorrow} 22:00-23:00 Europe/Stockholm"]})
    assert "22:00 Europe/Stockholm" in part(page(client, request), "review-what")
    assert "22:00 Europe/Stockholm" in post(client, request).text
    live = part(page(client, request), "live")
    assert "Runs when the window opens" in live
    assert "22:00 Europe/Stockholm" in live


def test_a_bound_and_a_standing_permission_are_given_with_the_review(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park(OPEN_ORDERS)
    assert request.terms["grantable"]
    post(sign_in(cast.rita), request, row_bound="9", runs="3", within="3600")
    kept = Review.objects.get()
    assert (kept.row_bound, kept.grant) == (9, {"runs": 3, "seconds": 3600})


def test_where_policy_lets_nothing_stand_there_are_no_fields_for_it(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    demand(request, terms={})
    assert 'name="runs"' not in page(client, request)
    post(client, request, runs="3", within="3600")
    assert Review.objects.get().grant is None


def test_a_rejection_carries_no_bound(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    post(sign_in(cast.rita), request, verdict="reject", comment="no", row_bound="9")
    assert (Review.objects.get().row_bound, Request.objects.get(pk=request.pk).state) == (None, State.REJECTED)


# --- What is approved is what was seen ----------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_p4_a_review_of_an_earlier_text_is_refused_with_words(
    cast: Cast, park: Park, sign_in: SignIn, verdict: str
) -> None:
    request = park(OPEN_ORDERS)
    edited(cast, request)
    response = post(sign_in(cast.rita), request, verdict=verdict, comment="kept words")
    assert response.status_code == 409
    assert "It was edited while you read it" in response.text
    assert "kept words" in response.text
    assert not Review.objects.exists()


def test_p4_the_form_after_the_refusal_is_for_the_text_that_it_shows(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.rita)
    now = edited(cast, request)
    assert f'name="seen" value="{seen_of(now)}"' in post(client, request).text
    assert post(client, now).status_code == 200
    assert Review.objects.get().revision == 2


@pytest.mark.parametrize("seen", ["", "1:", "2:other", "1:" + "0" * 64])
def test_p4_a_review_that_names_another_text_is_refused(cast: Cast, park: Park, sign_in: SignIn, seen: str) -> None:
    assert post(sign_in(cast.rita), park(), seen=seen).status_code == 409
    assert not Review.objects.exists()


def test_an_open_page_says_that_it_was_edited(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.rita)
    live = re.search(r'hx-get="([^"]*/live/[^"]*)"', page(client, request))
    assert live is not None
    edited(cast, request)
    assert "What stands below is the earlier text" in client.get(live[1].replace("&amp;", "&")).text


# --- Who sees what ------------------------------------------------------------------------------------------------


def test_p2_the_owner_of_what_masked_columns_steer_sees_no_number(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park(STEERED)
    impact.measure(request.pk)
    reviewer, owner = page(sign_in(cast.rita), request), page(sign_in(cast.alice), request)
    assert re.search(r"\d+ of 20 rows", part(reviewer, "live"))
    assert "Changes rows of public.customers" in part(owner, "live")
    assert not re.search(r"\d+ of 20 rows", owner)


def test_whoever_asked_can_edit_and_withdraw_and_a_reviewer_cannot(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request = park()
    places = [reverse(f"request-{name}", args=[request.pk]) for name in ("edit", "withdraw")]
    owner, reviewer = page(sign_in(cast.alice), request), page(sign_in(cast.rita), request)
    assert all(place in owner for place in places)
    assert not any(place in reviewer for place in places)


# --- Editing and times --------------------------------------------------------------------------------------------


def edit_page(request: Request) -> str:
    return reverse("request-edit", args=[request.pk])


def test_an_edit_on_the_page_takes_the_place_of_the_text(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(OPEN_ORDERS), sign_in(cast.alice)
    assert "status = &#x27;open&#x27;" in client.get(edit_page(request)).text
    given = {"sql": "DELETE FROM orders\r\nWHERE status = $1", "params": '["new"]', "revision": 1}
    client.post(edit_page(request), given)
    request.refresh_from_db()
    assert (request.sql, request.params) == ("DELETE FROM orders\nWHERE status = $1", ["new"])
    assert request.revision == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sql": "DROP TABLE orders"}, "The request is as it was."),
        ({"sql": "DELETE FROM orders WHERE"}, ""),
        ({"params": "not json"}, "That is no JSON"),
        ({"params": "[NaN]"}, "That is no JSON"),
        ({"params": "{}"}, "Parameters are a JSON list"),
        ({"revision": 7}, "It was edited meanwhile"),
        ({}, "nothing was changed"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_words(
    cast: Cast, park: Park, sign_in: SignIn, given: dict[str, Any], said: str
) -> None:
    request = park(OPEN_ORDERS)
    response = sign_in(cast.alice).post(edit_page(request), {"sql": OPEN_ORDERS, "params": "", "revision": 1} | given)
    assert response.status_code == 422
    assert said in response.text
    assert Request.objects.get(pk=request.pk).sql == OPEN_ORDERS


@pytest.mark.parametrize("who", ["rita", "olaf", "mallory"])
def test_nobody_else_edits(cast: Cast, park: Park, sign_in: SignIn, who: str) -> None:
    request, client = park(OPEN_ORDERS), sign_in(getattr(cast, who))
    assert client.get(edit_page(request)).status_code == 404
    assert client.post(edit_page(request), {"sql": "DELETE FROM cards", "revision": 1}).status_code == 404


def test_a_time_is_set_and_lifted_on_the_page(cast: Cast, park: Park, sign_in: SignIn) -> None:
    request, client = park(), sign_in(cast.rita)
    later = timezone.now() + timedelta(hours=3)
    place = reverse("request-schedule", args=[request.pk])
    assert "Set: it runs not before" in client.post(place, {"run_at": f"{later:%Y-%m-%dT%H:%M}"}, follow=True).text
    assert Request.objects.get(pk=request.pk).run_at == later.replace(second=0, microsecond=0)
    assert "as soon as it may" in client.post(place, {"run_at": ""}, follow=True).text
    assert "That time is over" in client.post(place, {"run_at": "2020-01-01T00:00"}, follow=True).text
    assert "That is no time" in client.post(place, {"run_at": "tomorrow"}, follow=True).text


# --- What is no statement -----------------------------------------------------------------------------------------


REASON = "the nightly clean-up failed and orders are stuck"


def test_an_elevation_has_the_same_page_with_what_fits_it(cast: Cast, sign_in: SignIn) -> None:
    alice = cast.principal(cast.alice)
    request = request_elevation(alice, "shop", "dba", minutes=60, reason=REASON, door="web").request
    assert request is not None
    text = page(sign_in(cast.rita), request)
    assert "Makes alice count as a member of dba for 1 h on shop (production)." in part(text, "live")
    assert "It begins at once, and ends by itself." in part(text, "review-what")
    assert REASON in part(text, "who")
    assert "sql-code" not in text
    assert "Approved. It has begun" in post(sign_in(cast.rita), request).text


def test_a_look_at_broken_glass_has_the_same_page_with_what_fits_it(cast: Cast, sign_in: SignIn) -> None:
    rita = cast.principal(cast.rita)
    glass = break_glass(rita, "shop", reason=REASON, door="web")
    submit(cast.submission(OPEN_ORDERS, cast.rita))
    revoke(glass.pk, rita, "over")
    request = Request.objects.get(kind=Request.Kind.AFTERWARDS)
    text = page(sign_in(cast.dora), request)
    said = "Looks back at what rita did with broken glass: 1 statement ran without a review on shop (production)."
    assert said in part(text, "live")
    assert "Nothing runs." in part(text, "review-what")
    assert "Recorded as right" in post(sign_in(cast.dora), request, comment="as it should be").text


# --- Safety and cost ----------------------------------------------------------------------------------------------


def test_hostile_text_stays_text_in_every_field(cast: Cast, sign_in: SignIn) -> None:
    evil = "<img src=x onerror=alert(1)>"
    sql = f"DELETE FROM orders -- {evil}\nWHERE status = $1"
    request = submit(cast.submission(sql, purpose=evil, on_behalf_of=evil, params=[evil])).query.request
    assert request is not None
    type(request.query).objects.filter(request=request).update(run=evil, step=evil, model=evil)
    demand(
        request,
        required=[{"group": evil, "quorum": 2}, {"group": "dba", "quorum": 2}],
        risk_parts=[{"points": 9, "reason": evil}],
    )
    demand(request, decision=request.decision | {"message": evil, "policies": [evil], "demands": [evil]})
    demand(request, bound={"role": evil, "search_path": [evil]}, terms={"windows": []})
    services.review(request.pk, cast.principal(cast.dora), "approve", evil)
    demand(request, follows=request, drift=[{"what": evil, "detail": evil}])
    text = page(sign_in(cast.rita), request)
    assert "<img" not in text
    assert text.count("&lt;img") >= 12


def test_the_number_of_queries_is_the_same_however_much_there_is(
    cast: Cast, park: Park, sign_in: SignIn, root: User
) -> None:
    ran(cast, park(OPEN_ORDERS))
    few, many = park(OPEN_ORDERS), park(OPEN_ORDERS)
    demand(few, required=[{"group": "dba", "quorum": 9}])
    demand(
        many, required=[{"group": f"g{number}", "quorum": 2} for number in range(9)] + [{"group": "dba", "quorum": 9}]
    )
    services.review(few.pk, cast.principal(cast.rita), "approve", "")
    for number in range(6):
        person = make_user(f"reviewer{number}", "dba")
        services.review(many.pk, cast.principal(person), "approve", "fine")
    client = sign_in(root)
    for request in (few, many):
        page(client, request)
    search.find_entries(
        search.EntryFilter(request=str(few.pk))
    )  # what is new in the log is read up by whoever searches
    assert queries(client, few) == queries(client, many)


def queries(client: Client, request: Request) -> int:
    with CaptureQueriesContext(connection) as caught:
        page(client, request)
    return len(caught)
