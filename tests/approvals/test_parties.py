"""For whom something runs reads to us as it does to people (P5)."""

from __future__ import annotations

import pytest

from approvals.eligibility import may_review
from gateway.pipeline import submit
from tests.factories import Cast
from tests.gateway.conftest import cast as cast
from tests.gateway.conftest import shop as shop

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.mark.parametrize(
    "spelt", ["ｒｉｔａ", "rit\u200ba", "ri\u00adta", "\u202erita", "ri\x08ta", "ﬁona, ｒita"],
    ids=["wide", "zero-width space", "soft hyphen", "right to left", "control", "a ligature beside it"],
)  # fmt: skip
def test_p5_no_spelling_hides_for_whom_it_runs(cast: Cast, spelt: str) -> None:
    request = submit(cast.submission("DELETE FROM orders", on_behalf_of=spelt)).query.request
    assert request is not None
    assert not may_review(request, cast.principal(cast.rita)).allowed
    assert may_review(request, cast.principal(cast.dora)).allowed
