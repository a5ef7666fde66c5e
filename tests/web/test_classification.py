"""The pages of classification: what is shown to whom, and what administrators decide."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from governance.classification import classes_of, parse_target, remove
from governance.models import ClassProposal, ClassScan, DataSource
from governance.scanning import proposals, scan
from identity.models import User
from tests.factories import ACTOR, CLASSES, Cast
from tests.fixtures.servers import Server, wait_until
from tests.web.conftest import SignIn

PROPOSALS = "/classification/shop/proposals/"
COLUMNS = "/classification/shop/"


@pytest.fixture
def scanned(cast: Cast) -> DataSource:
    """The shop with nothing classified and everything proposed."""
    for column in CLASSES:
        remove(cast.datasource, parse_target(column), actor=ACTOR)
    scan.run(scan.begin(cast.datasource, actor=ACTOR))
    return cast.datasource


@pytest.fixture
def desk(root: User, sign_in: SignIn) -> Client:
    return sign_in(root)


def proposal(column: str) -> ClassProposal:
    return next(one for one in ClassProposal.objects.all() if one.target == f"public.{column}")


def decide(desk: Client, **data: object) -> Any:
    return desk.post(reverse("classification-decide", args=["shop"]), data, follow=True)


def test_the_first_page_leads_to_what_waits(scanned: DataSource, desk: Client) -> None:
    assert desk.get("/classification/")["Location"] == PROPOSALS


def test_without_proposals_the_first_page_leads_to_the_columns(cast: Cast, desk: Client) -> None:
    assert desk.get("/classification/")["Location"] == COLUMNS


def test_without_data_sources_the_page_says_how_to_add_one(root: User, desk: Client) -> None:
    DataSource.objects.update(is_active=False)
    assertContains(desk.get("/classification/"), "datasource add NAME")


def test_columns_show_class_mask_and_who_put_it(cast: Cast, desk: Client) -> None:
    response = desk.get(COLUMNS)
    assertContains(response, "public.customers.email")
    assertContains(response, "E-mail address")
    assertContains(response, "a part that people recognise")
    assertNotContains(response, "public.orders.status")


def test_columns_are_filtered_by_name_class_and_whether_they_have_one(cast: Cast, desk: Client) -> None:
    response = desk.get(COLUMNS, {"show": "all", "text": "orders"})
    assertContains(response, "public.orders.status")
    assertNotContains(response, "public.customers.phone")
    assertNotContains(desk.get(COLUMNS, {"data_class": "email"}), "public.customers.phone")
    assertNotContains(desk.get(COLUMNS, {"show": "unclassified"}), "public.customers.phone")


def test_a_proposal_shows_confidence_reason_and_masked_examples(scanned: DataSource, desk: Client) -> None:
    response = desk.get(PROPOSALS)
    assertContains(response, "The name says “email”")
    assertContains(response, "***@example.com")
    assertNotContains(response, "person1@")


def test_one_is_accepted(scanned: DataSource, desk: Client) -> None:
    mail = proposal("customers.email")
    assertContains(decide(desk, accept=mail.pk, **{f"class-{mail.pk}": "email"}), "1 accepted")
    assert classes_of(scanned)["public", "customers"]["email"] == "email"
    mail.refresh_from_db()
    assert (mail.state, mail.decided_by) == ("accepted", "user:root")


def test_another_class_is_chosen(scanned: DataSource, desk: Client) -> None:
    mail = proposal("customers.email")
    decide(desk, accept=mail.pk, **{f"class-{mail.pk}": "secret"})
    assert classes_of(scanned)["public", "customers"]["email"] == "secret"


def test_one_is_rejected(scanned: DataSource, desk: Client) -> None:
    assertContains(decide(desk, reject=proposal("customers.email").pk), "1 rejected")
    assert classes_of(scanned) == {}


def test_several_are_accepted_together(scanned: DataSource, desk: Client) -> None:
    chosen = [proposal("customers.email"), proposal("cards.cvv")]
    classes = {f"class-{one.pk}": one.data_class for one in chosen}
    assertContains(decide(desk, accept="selected", proposal=[one.pk for one in chosen], **classes), "2 accepted")
    assert {*classes_of(scanned)} == {("public", "customers"), ("public", "cards")}


def test_nothing_selected_is_said(scanned: DataSource, desk: Client) -> None:
    assertContains(decide(desk, accept="selected"), "Nothing was selected")


def test_what_somebody_else_decided_is_said(scanned: DataSource, desk: Client) -> None:
    mail = proposal("customers.email")
    proposals.decide(scanned, [proposals.Choice(mail.pk, None)], actor="user:ada")
    assertContains(decide(desk, accept=mail.pk, **{f"class-{mail.pk}": "email"}), "not open any more")


def test_a_class_that_does_not_exist_is_refused_and_nothing_changes(scanned: DataSource, desk: Client) -> None:
    mail = proposal("customers.email")
    decide(desk, accept=mail.pk, **{f"class-{mail.pk}": "nonsense"})
    assert classes_of(scanned) == {}
    mail.refresh_from_db()
    assert mail.state == "proposed"


def test_a_column_is_classified_by_hand(cast: Cast, desk: Client) -> None:
    data = {"column": "public.orders.status", "data_class": "free_text"}
    response = desk.post(reverse("classification-add", args=["shop"]), data, follow=True)
    assertContains(response, "is classified as free_text")
    assert classes_of(cast.datasource)["public", "orders"] == {"status": "free_text"}


@pytest.mark.parametrize(
    ("column", "said"), [("public.orders.nope", "has no column nope"), ("orders", "does not say which column")]
)
def test_a_column_that_is_not_there_is_refused_and_the_text_stays(
    cast: Cast, desk: Client, column: str, said: str
) -> None:
    data = {"column": column, "data_class": "email"}
    response = desk.post(reverse("classification-add", args=["shop"]), data)
    assertContains(response, said, status_code=422)
    assertContains(response, f'value="{column}"', status_code=422)


def test_a_class_is_removed_after_a_question(cast: Cast, desk: Client) -> None:
    place = reverse("classification-remove", args=["shop"])
    assertContains(desk.get(place, {"column": "public.customers.email"}), "everybody who may read the relation")
    desk.post(place, {"column": "public.customers.email"})
    assert "email" not in classes_of(cast.datasource)["public", "customers"]


def test_a_class_that_is_not_there_cannot_be_removed(cast: Cast, desk: Client) -> None:
    assert desk.get(reverse("classification-remove", args=["shop"]), {"column": "public.orders.id"}).status_code == 404


@pytest.mark.parametrize("page", ["decide", "add", "scan-now", "remove"])
def test_only_administrators_change_anything(cast: Cast, sign_in: SignIn, page: str) -> None:
    place = reverse(f"classification-{page}", args=["shop"])
    data = {"column": "public.customers.email", "data_class": "email", "reject": "1"}
    assert sign_in(cast.rita).post(place, data).status_code == 403
    assert not ClassScan.objects.exists()


def test_others_see_proposals_without_buttons(scanned: DataSource, cast: Cast, sign_in: SignIn) -> None:
    response = sign_in(cast.rita).get(PROPOSALS)
    assertContains(response, "public.customers.email")
    assertNotContains(response, 'name="accept"')


def test_a_worker_scans_and_the_page_shows_how_it_went(cast: Cast, desk: Client, celery_worker: Server) -> None:
    desk.post(reverse("classification-scan-now", args=["shop"]))
    wait_until(lambda: ClassScan.objects.get().state == "finished", celery_worker)
    assertContains(desk.get("/classification/shop/scan/"), "proposed.")


def test_a_scan_under_way_is_asked_about_and_not_started_twice(cast: Cast, desk: Client) -> None:
    scan.begin(cast.datasource, actor=ACTOR)
    assertContains(desk.get("/classification/shop/scan/"), 'hx-trigger="every 2s"')
    response = desk.post(reverse("classification-scan-now", args=["shop"]), follow=True)
    assertContains(response, "being scanned already")
    assert ClassScan.objects.count() == 1
