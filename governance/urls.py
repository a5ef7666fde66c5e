"""Pages of policies, under /policy/."""

from django.urls import path

from governance.web import policy_editing, policy_pages, policy_testing

urlpatterns = [
    path("", policy_pages.policy, name="policy"),
    path("versions/", policy_pages.policy_versions, name="policy-versions"),
    path("versions/<int:number>/", policy_pages.policy_version, name="policy-version"),
    path("compare/", policy_pages.policy_compare, name="policy-compare"),
    path("edit/", policy_editing.policy_edit, name="policy-edit"),
    path("test/", policy_testing.policy_test, name="policy-test"),
    path("proposals/", policy_pages.policy, name="policy-proposals"),
]
