"""What a door hands to the pipeline: who asks for what, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from approvals.parties import as_read
from identity.principals import Principal


@dataclass(frozen=True, slots=True)
class RunContext:
    """One execution of an agent's workflow, as the agent names it. `traceparent` is W3C Trace Context, section 3.2."""

    id: str = ""
    step: str = ""
    model: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """`max_rows` can only narrow the data source's own limit."""

    principal: Principal
    door: str
    datasource: str
    sql: str
    params: tuple[Any, ...] = ()
    purpose: str = ""
    on_behalf_of: str = ""
    run: RunContext = field(default_factory=RunContext)
    max_rows: int | None = None
    idempotency_key: str = ""

    def __post_init__(self) -> None:
        # Whoever is named never approves it (P5): the name must read to us as it does to people.
        object.__setattr__(self, "on_behalf_of", as_read(self.on_behalf_of))
