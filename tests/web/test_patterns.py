"""The patterns page shows the whole design system."""

from __future__ import annotations

from pathlib import Path

from tests.factories import Cast
from tests.web.conftest import SignIn

COMPONENTS = Path(__file__).parent.parent.parent / "templates" / "components"


def test_every_component_is_on_the_patterns_page(cast: Cast, sign_in: SignIn) -> None:
    response = sign_in(cast.mallory).get("/patterns/")
    rendered = {Path(template.name[:]).name for template in response.templates if template.name}
    assert {path.name for path in COMPONENTS.glob("*.html")} <= rendered
