"""Classification over REST: what people read, what administrators change."""

from __future__ import annotations

from typing import Any

import pytest

from governance.classification import classes_of, parse_target, remove
from governance.models import ClassProposal, ClassScan
from governance.scanning import scan
from identity.models import User
from tests.api.conftest import Caller
from tests.factories import ACTOR, CLASSES, Cast, make_user

PLACE = "datasources/shop/classifications"


@pytest.fixture
def root(cast: Cast) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def admin(call: Any, root: User) -> Caller:
    caller: Caller = call(root)
    return caller


@pytest.fixture
def proposed(cast: Cast) -> dict[str, ClassProposal]:
    for column in CLASSES:
        remove(cast.datasource, parse_target(column), actor=ACTOR)
    scan.run(scan.begin(cast.datasource, actor=ACTOR))
    return {one.target: one for one in ClassProposal.objects.all()}


def test_classes_are_listed_with_their_masks(admin: Caller) -> None:
    found = {one["column"]: one for one in admin.get(PLACE).json()["results"]}
    mail = found["public.customers.email"]
    assert (mail["class"], mail["mask"], mail["is_direct"], mail["by"]) == ("email", "partial", True, ACTOR)


def test_a_class_is_put_and_taken_away(admin: Caller, cast: Cast) -> None:
    answer = admin.post(PLACE, {"column": "public.orders.status", "data_class": "free_text"})
    assert (answer.status_code, answer.json()["class"]) == (200, "free_text")
    assert classes_of(cast.datasource)["public", "orders"] == {"status": "free_text"}
    answer = admin.post(PLACE, {"column": "public.orders.status", "data_class": None})
    assert (answer.status_code, answer.json()["class"]) == (200, None)
    assert ("public", "orders") not in classes_of(cast.datasource)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"column": "public.orders.nope", "data_class": "email"}, 422),
        ({"column": "orders", "data_class": "email"}, 422),
        ({"column": "public.orders.status", "data_class": "nonsense"}, 400),
        ({"column": "public.orders.status", "data_class": None}, 422),
        ({"column": "public.orders.status"}, 400),
        ({"column": 7, "data_class": "email"}, 400),
    ],
)
def test_what_cannot_be_is_a_problem_with_its_reason(admin: Caller, body: dict[str, Any], status: int) -> None:
    answer = admin.post(PLACE, body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_people_read_and_agents_do_not(call: Any, cast: Cast, bot: Caller) -> None:
    assert call(cast.rita).get(PLACE).status_code == 200
    assert bot.get(PLACE).status_code == 403


@pytest.mark.parametrize("path", ["classifications", "scan", "proposals/1"])
def test_only_administrators_change(call: Any, cast: Cast, path: str) -> None:
    assert call(cast.rita).post(f"datasources/shop/{path}", {}).status_code == 403
    assert not ClassScan.objects.exists()


@pytest.mark.usefixtures("nobody_works")
def test_a_scan_is_handed_to_a_worker_and_can_be_followed(admin: Caller) -> None:
    assert admin.get("datasources/shop/scan").status_code == 404
    answer = admin.post("datasources/shop/scan", {})
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert admin.get("datasources/shop/scan").json()["state"] == "waiting"
    assert admin.post("datasources/shop/scan", {}).status_code == 409


def test_proposals_are_listed_the_most_certain_first(admin: Caller, proposed: dict[str, ClassProposal]) -> None:
    found = admin.get("datasources/shop/proposals").json()["results"]
    assert [one["confidence"] for one in found] == sorted((one["confidence"] for one in found), reverse=True)
    mail = next(one for one in found if one["column"] == "public.customers.email")
    assert mail["masked_examples"] == ["***@example.com"]
    assert len(admin.get("datasources/shop/proposals?limit=1").json()["results"]) == 1


def test_a_proposal_is_accepted_once(admin: Caller, cast: Cast, proposed: dict[str, ClassProposal]) -> None:
    place = f"datasources/shop/proposals/{proposed['public.customers.email'].pk}"
    assert admin.post(place, {"verdict": "accept"}).json()["state"] == "accepted"
    assert classes_of(cast.datasource)["public", "customers"] == {"email": "email"}
    assert admin.post(place, {"verdict": "reject"}).status_code == 409
    assert [one["state"] for one in admin.get("datasources/shop/proposals?state=accepted").json()["results"]] == [
        "accepted"
    ]


def test_a_proposal_is_accepted_with_another_class_or_rejected(
    admin: Caller, cast: Cast, proposed: dict[str, ClassProposal]
) -> None:
    mail, born = (proposed[f"public.customers.{name}"].pk for name in ("email", "born"))
    admin.post(f"datasources/shop/proposals/{mail}", {"verdict": "accept", "data_class": "secret"})
    admin.post(f"datasources/shop/proposals/{born}", {"verdict": "reject"})
    assert classes_of(cast.datasource)["public", "customers"] == {"email": "secret"}


def test_a_rejection_names_no_class(admin: Caller, proposed: dict[str, ClassProposal]) -> None:
    place = f"datasources/shop/proposals/{proposed['public.customers.email'].pk}"
    assert admin.post(place, {"verdict": "reject", "data_class": "email"}).status_code == 400
    assert admin.post("datasources/shop/proposals/999999", {"verdict": "reject"}).status_code == 404


def test_the_openapi_document_describes_the_calls(admin: Caller) -> None:
    text = admin.get("schema").content.decode()
    for path in ("classifications", "scan", "proposals", "proposals/{proposal_id}"):
        assert f"/api/v1/datasources/{{name}}/{path}:" in text
