"""Pages of policies, under /policy/."""

from django.urls import path

from governance.web import policy_activation, policy_editing, policy_pages, policy_testing, proposal_pages

urlpatterns = [
    path("", policy_pages.policy, name="policy"),
    path("versions/", policy_pages.policy_versions, name="policy-versions"),
    path("versions/<int:number>/", policy_pages.policy_version, name="policy-version"),
    path("compare/", policy_pages.policy_compare, name="policy-compare"),
    path("test/", policy_testing.policy_test, name="policy-test"),
    path("edit/", policy_editing.policy_edit, name="policy-edit"),
    path("edit/replay/<uuid:job>/", policy_editing.policy_replay_progress, name="policy-replay-progress"),
    path("edit/confirm/", policy_activation.policy_confirm, name="policy-confirm"),
    path("edit/activate/", policy_activation.policy_activate, name="policy-activate"),
    path("proposals/", proposal_pages.policy_proposals, name="policy-proposals"),
    path("proposals/<uuid:proposal_id>/", proposal_pages.policy_proposal, name="policy-proposal"),
    path("proposals/<uuid:proposal_id>/review/", proposal_pages.policy_proposal_review, name="policy-proposal-review"),
    path(
        "proposals/<uuid:proposal_id>/withdraw/",
        proposal_pages.policy_proposal_withdraw,
        name="policy-proposal-withdraw",
    ),
]
