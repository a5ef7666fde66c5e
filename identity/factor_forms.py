"""allauth's forms for second factors, with what Countersign adds: each showing and each refusal is recorded before it counts,
and a code from an app is taken once, by whichever process sees it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from identity.adapters import passkeys_work_here
from identity.models import User
from identity.principals import principal_of_user
from identity.second_factor import WORDS, name_of, tell

# Why a factor was refused, as the ledger says it; else it was not right.
WHY = {"used_code": "used before", "cannot_open": "cannot be opened"}
LAST_COUNTER = "last_counter"
LONGEST_CODE = 32
LONGEST_NAME = 40
CODE = forms.TextInput(
    attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
)


# --- Codes are taken once ------------------------------------------------------------------------------------------


@transaction.atomic
def spend(authenticator: Authenticator, code: str) -> bool:
    """Marks an app's code as used, and with it all earlier ones; false if it has been."""
    locked = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    counter = counter_of(decrypt(locked.data["secret"]), code)
    if counter is None or counter <= locked.data.get(LAST_COUNTER, -1):
        return False
    locked.data[LAST_COUNTER] = counter
    locked.save(update_fields=["data"])
    return True


def is_good_now(user: User, code: str) -> bool:
    """Whether it is the app's code of this time, used or not."""
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return app is not None and counter_of(decrypt(app.data["secret"]), code) is not None


def counter_of(secret: str, code: str) -> int | None:
    """The period of time that a code belongs to, if it is one of those that are good now."""
    digits = "".join(character for character in code if character.isalnum())
    good = (counter for counter in yield_hotp_counters_from_time() if _code(secret, counter) == digits)
    return next(good, None)


def _code(secret: str, counter: int) -> str:
    return str(format_hotp_value(hotp_value(secret, counter)))


# --- Showing a factor ----------------------------------------------------------------------------------------------


@contextmanager
def refusals_told(user: User, factor: str) -> Iterator[None]:
    """Tries past the limit are not told of: they are not looked at, and could fill the log."""
    try:
        yield
    except ValidationError as error:
        if error.code not in ("too_many_login_attempts", "required"):
            reason = WHY.get(str(error.code), "not right")
            tell("factor.refused", user, factor, actor=principal_of_user(user).label, reason=reason)
        raise


@contextmanager
def in_words_of(code: str) -> Iterator[None]:
    """allauth has one message for all that is wrong; people want to know what to do about theirs."""
    try:
        yield
    except ValidationError as error:
        if error.code == "incorrect_code":
            raise get_adapter().validation_error(code) from error
        raise


class _Shown(forms.Form):
    """What was shown counts from `save` on; its entry is there by then."""

    occasion: str

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """allauth's forms ask for `user`."""
        super().__init__(*arguments, **options)

    def save(self) -> None:
        one = self._shown()
        actor = principal_of_user(one.user).label
        tell("factor.shown", one.user, WORDS[one.type], name_of(one), actor=actor, reason=self.occasion)
        super().save()  # type: ignore[misc]

    def _shown(self) -> Authenticator:
        raise NotImplementedError


class _Code(_Shown):
    code = forms.CharField(label="Code", max_length=LONGEST_CODE, widget=CODE)

    def clean_code(self) -> str:
        with refusals_told(self.user, "code"):  # type: ignore[attr-defined]
            code = self._right_code()
            if self._shown().type == Authenticator.Type.TOTP and not spend(self._shown(), code):
                raise get_adapter().validation_error("used_code")
        return code

    def _right_code(self) -> str:
        try:
            return str(super().clean_code())  # type: ignore[misc]
        except ValidationError as error:
            if error.code == "incorrect_code" and is_good_now(self.user, self.cleaned_data["code"]):  # type: ignore[attr-defined]
                raise get_adapter().validation_error("used_code") from error
            raise

    def _shown(self) -> Authenticator:
        return self.authenticator  # type: ignore[attr-defined]


class _Passkey(_Shown):
    def clean_credential(self) -> Authenticator:
        with refusals_told(self.user, "passkey"), in_words_of("passkey_refused"):  # type: ignore[attr-defined]
            return super().clean_credential()  # type: ignore[misc]

    def _shown(self) -> Authenticator:
        return self.cleaned_data["credential"]


class SignInCodeForm(_Code, AuthenticateForm):  # type: ignore[misc]
    occasion = "at sign-in"


class SignInPasskeyForm(_Passkey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    occasion = "at sign-in"


class CodeForm(_Code, ReauthenticateForm):  # type: ignore[misc]
    occasion = "asked for again"


class PasskeyForm(_Passkey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    occasion = "asked for again"


# --- Setting one up ------------------------------------------------------------------------------------------------


class ActivateAppForm(ActivateTOTPForm):  # type: ignore[misc]
    code = forms.CharField(label="Code that the app shows", max_length=LONGEST_CODE, widget=CODE)

    def clean_code(self) -> str:
        with in_words_of("first_code"):
            return str(super().clean_code())


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label="Name", max_length=LONGEST_NAME, help_text="So that you can tell several apart.")

    def clean(self) -> dict[str, Any]:
        if not passkeys_work_here():
            raise get_adapter().validation_error("no_passkeys_here")
        with in_words_of("passkey_refused"):
            cleaned: dict[str, Any] = super().clean()
        return cleaned
