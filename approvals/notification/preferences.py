"""How each person wants to be told, and what that means for one event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from approvals.models import Notification, NotificationPreference
from approvals.notification.events import EVENTS, VITAL, Event
from approvals.notification.mail import mail_is_set_up
from approvals.notification.recipients import reviewing_groups
from identity.models import User
from identity.principals import principal_of_user
from identity.signals import acting

Email = NotificationPreference.Email
LONGEST_ADDRESS = 254
NO_SERVER = "No mail server is set up (COUNTERSIGN_SMTP_URL)."
NO_ADDRESS = "You have given no e-mail address."


class PreferenceRefused(ValueError):
    """`field` is the input that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Way:
    """How one event reaches one person. `why_not` is empty if it does."""

    why_not: str = ""
    in_digest: bool = False


@cache
def time_zones() -> tuple[str, ...]:
    """Names of the IANA database, without aliases that say no place (`EST`, `posixrules`)."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


def preference_of(user: User) -> NotificationPreference:
    """What the person has saved, or what holds for everybody who has not."""
    return NotificationPreference.objects.filter(user=user).first() or NotificationPreference(user=user)


def preferences_of(users: Collection[User]) -> Mapping[int, NotificationPreference]:
    saved = {one.user_id: one for one in NotificationPreference.objects.filter(user__in=users)}
    return {user.pk: saved.get(user.pk) or NotificationPreference(user=user) for user in users}


def way_of(preference: NotificationPreference, event: Event) -> Way:
    """Muted and turned off come first, so that a list of what was told says what the person chose."""
    if event.name in preference.muted:
        return Way("You have muted this.")
    if preference.email == Email.OFF:
        return Way("You have turned e-mail off.")
    if not mail_is_set_up():
        return Way(NO_SERVER)
    if not preference.user.email:
        return Way(NO_ADDRESS)
    return Way(in_digest=preference.email == Email.DIGEST and not event.loud)


def save(
    user: User, *, email: str, muted: Iterable[str], digest_hour: int, time_zone: str, address: str | None = None
) -> NotificationPreference:
    """`address` None leaves it as it is; a change of it is an entry of the ledger. Raises `PreferenceRefused`,
    `LedgerUnavailable`."""
    wanted = sorted(set(muted))
    _check(email, wanted, digest_hour, time_zone, address)
    with transaction.atomic():
        before = preference_of(user)
        # Whoever changes to a digest now gets the first at the next hour of theirs, not one at once.
        digested_at = before.digested_at if before.email == Email.DIGEST else timezone.now()
        kept, _ = NotificationPreference.objects.update_or_create(
            user=user,
            defaults={
                "email": email,
                "muted": wanted,
                "digest_hour": digest_hour,
                "time_zone": time_zone,
                "digested_at": digested_at,
            },
        )
        _follow(before, kept)
        if address is not None and address != user.email:
            _move_to(user, address)
    return kept


def _move_to(user: User, address: str) -> None:
    """The address before it stays known as theirs: what runs on behalf of it still runs on theirs, so they cannot review it
    (P5)."""
    if user.email:
        EmailAddress.objects.get_or_create(user=user, email=user.email.lower())
    user.email = address
    with acting(principal_of_user(user).label):
        user.save(update_fields=["email"])


def _follow(before: NotificationPreference, after: NotificationPreference) -> None:
    """What waits for a digest that will not come is sent by itself; what is turned off, when its turn comes, is not."""
    if before.email == Email.DIGEST != after.email:
        waiting = Notification.objects.filter(
            user=after.user, in_digest=True, state=Notification.State.WAITING, next_at=None
        )
        waiting.exclude(context__has_key="digest").update(in_digest=False, next_at=timezone.now())


def _check(email: str, muted: list[str], digest_hour: int, time_zone: str, address: str | None) -> None:
    if email not in Email.values:
        raise PreferenceRefused("email", f"E-mail is {', '.join(Email.values)}.")
    if unknown := [name for name in muted if name not in EVENTS]:
        raise PreferenceRefused("muted", f"There is no event {unknown[0][:40]!r}. There are: {', '.join(EVENTS)}.")
    if not 0 <= digest_hour <= 23:
        raise PreferenceRefused("digest_hour", "The hour is one from 0 to 23.")
    if time_zone not in time_zones():
        raise PreferenceRefused(
            "time_zone", f"There is no time zone {time_zone[:40]!r}. Use one like Europe/Stockholm."
        )
    if address:
        try:
            validate_email(address)
        except ValidationError:
            raise PreferenceRefused("address", "That is not an e-mail address.") from None
        if len(address) > LONGEST_ADDRESS:
            raise PreferenceRefused("address", f"An address has at most {LONGEST_ADDRESS} characters.")


def warnings_for(user: User, preference: NotificationPreference) -> list[str]:
    """What this person would not hear of, although somebody counts on it."""
    said = []
    off = preference.email == Email.OFF
    if not mail_is_set_up():
        said.append(
            "No mail server is set up, so nothing is sent by e-mail. An administrator sets COUNTERSIGN_SMTP_URL."
        )
    elif not user.email and not off:
        said.append("You have given no e-mail address, so nothing can be sent to you.")
    groups = sorted(_reviewing_groups(user))
    unheard = [name for name in VITAL if off or name in preference.muted]
    if groups and "asked" in unheard:
        said.append(
            f"You review for {', '.join(groups)}, and you are not told when a review is wanted: look at the inbox yourself."
        )
    if (groups or user.is_superuser) and "glass-broken" in unheard:
        said.append(
            "You are not told when somebody breaks the glass, although you are one of those who should look at it."
        )
    return said


def _reviewing_groups(user: User) -> set[str]:
    mine = set(user.groups.values_list("name", flat=True))
    return mine & reviewing_groups()


def zone_of(preference: NotificationPreference) -> ZoneInfo:
    """UTC where the saved one is no longer known."""
    return ZoneInfo(preference.time_zone if preference.time_zone in time_zones() else "UTC")
