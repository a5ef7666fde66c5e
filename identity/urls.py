"""Pages of who acts, under /accounts/, before allauth's own."""

from django.urls import path
from django.views.generic import RedirectView

from identity.factor_pages import show_factor

# An address says on whose behalf something runs, so there is one page that changes it: it records the change, and what
# was somebody's address stays known as theirs. allauth's own would do neither.
addresses = RedirectView.as_view(pattern_name="notifications")

urlpatterns = [
    path("2fa/show/", show_factor, name="second-factor"),
    path("email/", addresses, name="account_email"),
    path("confirm-email/", addresses, name="account_email_verification_sent"),
]
