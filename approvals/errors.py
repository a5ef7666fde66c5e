"""Why a request or a review is refused. The message is for people and says what would be needed."""

from __future__ import annotations


class UnknownRequest(Exception):
    """No such request, or not one that this principal may see: the two are told alike."""


class ReviewRefused(Exception):
    """This person may not review or change this request, or it is no longer open.

    `code` tells doors what to do about it: `invalid` correct what was sent; `step-up-required` show a second factor;
    `review-refused`, `no-window`, `changed-meanwhile` otherwise.
    """

    def __init__(self, message: str, code: str = "review-refused") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
