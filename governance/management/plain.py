"""Errors of management commands, told in words: what is wrong, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg.errors import UndefinedTable

from audit.ledger import LedgerUnavailable
from governance.errors import GatewayError
from governance.models import DataSource
from governance.policy.problems import PolicyError
from governance.policy.store import CommentTooLong

ACTOR = "command line"


@contextmanager
def told_plainly() -> Iterator[None]:
    try:
        yield
    except GatewayError as error:
        raise CommandError(f"{error.message} {error.remedy}".strip()) from error
    except PolicyError as error:
        raise CommandError(f"The policy set is not sound; nothing was changed.\n{error}") from error
    except CommentTooLong as error:
        raise CommandError(str(error)) from error
    except LedgerUnavailable as error:
        raise CommandError(f"The change cannot be recorded, so it was not made: {error}") from error
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        raise CommandError("The control database has no tables yet. Make them: manage.py migrate") from error
    except (OperationalError, InterfaceError) as error:
        reason = " ".join(str(error).split())
        raise CommandError(f"The control database does not answer, so nothing was changed: {reason}") from error


def find_datasource(name: str) -> DataSource:
    datasource = DataSource.objects.filter(name=name).first()
    if datasource is None:
        known = ", ".join(DataSource.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no data source {name!r}. Data sources: {known}.")
    return datasource
