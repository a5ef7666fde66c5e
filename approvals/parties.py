"""Who is a party to a request, and so never counts in it (P5): whoever asked, who owns the agent that asked, then and now, and
anyone on whose behalf it runs.

For whom it runs is free text. It names a person where one of its words is their user name, an address of theirs or an agent
of theirs, in any case, with or without `user:` before it. One pattern tells so for a row and for a list of rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from allauth.account.models import EmailAddress
from django.db.models import Q

from approvals.models import Request
from identity.models import Agent, User
from identity.principals import Principal

# Listed one by one, since what counts as part of a word depends on the database's locale.
_APART = r"\s,;<>()\[\]{}\"'`/|&+*#~^$%=\\«»‹›“”„‘’‚–—…·•"
_BEFORE = rf"(^|[{_APART}:@!?¡¿])"
_AFTER = rf"($|[{_APART}]|[.:!?]($|[{_APART}]))"


def as_read(name: str) -> str:
    """For whom it runs, as people read it: letters in their plain form, and nothing that cannot be seen."""
    plain = unicodedata.normalize("NFKC", name)
    return "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Cc") or one.isspace()).strip()


def owners_of(request: Request) -> set[int]:
    """Who answered for it when it was asked, and who answers for the agent now."""
    return {request.owner_id, request.agent.owner_id} if request.agent else {request.owner_id}


def speaks_for_asker(request: Request, principal: Principal) -> bool:
    """Whoever asked, and who answers for the agent now: who no longer does has no say in what it asks for."""
    owner = request.agent.owner_id if request.agent else request.owner_id
    return request.requester == principal.label or (principal.is_person and principal.id == owner)


def why_party(request: Request, user_id: int, patterns: Mapping[int, str] | None = None) -> str:
    """Why this person is a party to it; empty when they are not. `patterns` spares looking their names up."""
    if request.grant is not None and user_id in (request.grant.owner_id, request.grant.user_id):
        return "it is about what you, or an agent of yours, did with broken glass"
    if user_id in owners_of(request):
        return f"you own {request.agent}, which asked for this" if request.agent else "you asked for this yourself"
    if request.on_behalf_of and re.search(_pattern(user_id, patterns), request.on_behalf_of, re.IGNORECASE):
        return f"it runs on your behalf ({request.on_behalf_of})"
    return ""


def party_to(user_id: int) -> Q:
    """The requests to which this person is a party, as a filter: the same rule."""
    owns = Q(owner_id=user_id) | Q(agent__owner_id=user_id)
    owns |= Q(grant__owner_id=user_id) | Q(grant__user_id=user_id, grant__isnull=False)
    return owns | Q(on_behalf_of__iregex=_pattern(user_id))


def patterns_of(user_ids: Collection[int]) -> dict[int, str]:
    """By what text each of these people is named; three queries, however many they are."""
    names: dict[int, set[str]] = {user_id: set() for user_id in user_ids}
    if user_ids:
        people = User.objects.filter(pk__in=user_ids)
        found = [(pk, name) for pk, *both in people.values_list("pk", "username", "email") for name in both]
        found += EmailAddress.objects.filter(user_id__in=user_ids).values_list("user_id", "email")
        found += Agent.objects.filter(owner_id__in=user_ids).values_list("owner_id", "name")
        for user_id, name in filter(lambda pair: pair[1], found):
            names[user_id].add(name)
    return {user_id: _pattern_of(called) for user_id, called in names.items()}


def _pattern(user_id: int, patterns: Mapping[int, str] | None = None) -> str:
    return patterns[user_id] if patterns and user_id in patterns else patterns_of([user_id])[user_id]


def _pattern_of(names: Iterable[str]) -> str:
    return f"{_BEFORE}({'|'.join(sorted(map(_escaped, names)))}){_AFTER}"


def _escaped(name: str) -> str:
    """For the regular expressions of Python and PostgreSQL alike: to both a backslash takes the sense of a sign away."""
    return "".join(one if one.isalnum() or one == "_" else f"\\{one}" for one in name)
