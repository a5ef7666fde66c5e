"""The ledger's tables: `log` is the truth, `transparency` proves it, `search` finds in it, `outlets` carries it out."""

from audit.models.log import Entry, Head, Payload, SubjectKey
from audit.models.outlets import Export, Forwarder
from audit.models.search import Follower, SavedSearch, SearchEntry, SearchTerm, SearchText
from audit.models.transparency import Archive, Checkpoint, LogKey, Tile, Witness

__all__ = [
    "Archive", "Checkpoint", "Entry", "Export", "Follower", "Forwarder", "Head", "LogKey", "Payload", "SavedSearch",
    "SearchEntry", "SearchTerm", "SearchText", "SubjectKey", "Tile", "Witness",
]  # fmt: skip
