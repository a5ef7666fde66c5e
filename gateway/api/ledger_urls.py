"""The verifiable log over REST: checkpoint, proofs, tiles, keys."""

from django.urls import URLPattern, path

from gateway.api import forwarder_views, ledger_views, retention_views, transparency_views, verification_views

urlpatterns: list[URLPattern] = [
    path("audit/entries/<int:index>", ledger_views.EntryView.as_view(), name="api-entry"),
    path("audit/checkpoint", ledger_views.CheckpointView.as_view(), name="api-checkpoint"),
    path("audit/proof/inclusion", ledger_views.InclusionView.as_view(), name="api-inclusion"),
    path("audit/proof/consistency", ledger_views.ConsistencyView.as_view(), name="api-consistency"),
    path("audit/tile/entries/<path:tile>", ledger_views.BundleView.as_view(), name="api-bundle"),
    path("audit/tile/<str:level>/<path:tile>", ledger_views.TileView.as_view(), name="api-tile"),
    path("audit/keys", ledger_views.KeysView.as_view(), name="api-keys"),
    path("audit/keys/rotate", transparency_views.RotationView.as_view(), name="api-key-rotation"),
    path("audit/checkpoint/publish", transparency_views.PublishView.as_view(), name="api-publish"),
    path("audit/erasures", retention_views.ErasuresView.as_view(), name="api-erasures"),
    path("audit/archives", retention_views.ArchivesView.as_view(), name="api-archives"),
    path("audit/verifications", verification_views.VerificationsView.as_view(), name="api-verifications"),
    path("audit/witnesses", transparency_views.WitnessesView.as_view(), name="api-witnesses"),
    path("audit/witnesses/<str:name>", transparency_views.WitnessView.as_view(), name="api-witness"),
    path("audit/forwarders", forwarder_views.ForwardersView.as_view(), name="api-forwarders"),
    path("audit/forwarders/<str:name>", forwarder_views.ForwarderView.as_view(), name="api-forwarder"),
    path(
        "audit/forwarders/<str:name>/secret", forwarder_views.ForwarderSecretView.as_view(), name="api-forwarder-secret"
    ),
    path(
        "audit/forwarders/<str:name>/secret/previous",
        forwarder_views.ForwarderPreviousSecretView.as_view(),
        name="api-forwarder-previous-secret",
    ),
]
