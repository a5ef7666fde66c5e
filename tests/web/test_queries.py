"""The pages of queries."""

from __future__ import annotations

import pytest
from django.urls import reverse

from approvals import services
from gateway.models import Query, Result
from gateway.pipeline import submit
from gateway.web.result_table import PAGE_ROWS
from governance.errors import Denied
from tests.factories import Cast
from tests.web.conftest import Park, Run, SignIn


def page(query: Query) -> str:
    return reverse("query-detail", args=[query.pk])


def test_a_result_is_shown_with_its_masked_columns_marked(cast: Cast, run: Run, sign_in: SignIn) -> None:
    text = sign_in(cast.alice).get(page(run())).text
    assert "1 column masked" in text
    assert "person1@example.com" not in text
    assert "@example.com" in text


def test_long_results_come_in_pages(cast: Cast, run: Run, sign_in: SignIn) -> None:
    query, client = run(f"SELECT generate_series(1, {PAGE_ROWS + 5}) AS n"), sign_in(cast.alice)
    assert f"rows 1 to {PAGE_ROWS} of {PAGE_ROWS + 5}" in client.get(page(query)).text
    assert f"rows {PAGE_ROWS + 1} to {PAGE_ROWS + 5}" in client.get(page(query) + "?rows=2").text


@pytest.mark.parametrize("rows", ["0", "-1", "x", "99999999999999999999", "٣"])
def test_an_odd_page_of_a_result_is_no_error(cast: Cast, run: Run, sign_in: SignIn, rows: str) -> None:
    assert sign_in(cast.alice).get(page(run()), {"rows": rows}).status_code == 200


def test_whoever_did_not_ask_sees_the_query_but_not_its_rows(cast: Cast, run: Run, sign_in: SignIn) -> None:
    text = sign_in(cast.olaf).get(page(run())).text
    assert "Rows are masked for whoever asked" in text
    assert 'id="result"' not in text


def test_rows_whose_time_is_over_are_told_of(cast: Cast, run: Run, sign_in: SignIn) -> None:
    query = run()
    Result.objects.all().delete()
    assert "no longer kept" in sign_in(cast.alice).get(page(query)).text


def test_a_denied_query_says_why_and_what_to_do(cast: Cast, sign_in: SignIn) -> None:
    with pytest.raises(Denied):
        submit(cast.submission("DROP TABLE orders"))
    text = sign_in(cast.alice).get(page(Query.objects.get())).text
    assert "Denied by policy" in text
    assert "What to do:" in text


def test_a_query_that_waits_refreshes_itself_and_one_that_ended_does_not(
    cast: Cast, park: Park, sign_in: SignIn
) -> None:
    request, client = park(), sign_in(cast.alice)
    assert 'hx-select="#query"' in client.get(page(request.query)).text
    services.review(request.pk, cast.principal(cast.rita), "reject", "no")
    assert 'hx-select="#query"' not in client.get(page(request.query)).text


def test_the_life_of_a_query_links_its_entries(cast: Cast, run: Run, sign_in: SignIn) -> None:
    text = sign_in(cast.alice).get(page(run())).text
    assert "Statement about to run" in text
    assert "Statement ended" in text


def test_lists_are_filtered_by_state_data_source_and_principal(
    cast: Cast, park: Park, run: Run, sign_in: SignIn
) -> None:
    parked, ran, client = park().query, run(), sign_in(cast.olaf)
    text = client.get("/queries/?state=parked&datasource=shop&principal=agent:analyst-bot").text
    assert page(parked) in text
    assert page(ran) not in text


def test_a_state_that_does_not_exist_is_refused(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.alice).get("/queries/?state=asleep").status_code == 400


def test_whoever_asked_can_cancel_what_waits_and_nobody_else(cast: Cast, park: Park, sign_in: SignIn) -> None:
    query = park().query
    cancel = reverse("query-cancel", args=[query.pk])
    assert sign_in(cast.mallory).post(cancel).status_code == 404
    assert "Only whoever asked" in sign_in(cast.rita).post(cancel, follow=True).text
    assert "Cancelled" in sign_in(cast.alice).post(cancel, follow=True).text
    query.refresh_from_db()
    assert query.state == "withdrawn"
