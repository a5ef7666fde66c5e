"""Finding entries: by what, page by page, how many of what, and when.

`filters` says what entries can be found by, `planning` which posting a search reads, `finding` gives pages, `overview`
facets and a histogram, `counting` verdicts over time, `reading` single entries and the head, `saving` the searches that
people keep.
"""

from audit.search.counting import Bucket, verdict_counts
from audit.search.filters import EntryFilter, SearchTooBroad, matches
from audit.search.finding import Page, find_entries, matching_indexes
from audit.search.reading import (
    EntryDetail,
    LogHead,
    current_head,
    entries_after,
    entry_json,
    entry_with_payload,
    fetch_entry,
)
from audit.search.summary import Overview, overview

__all__ = [
    "Bucket", "EntryDetail", "EntryFilter", "LogHead", "Overview", "Page", "SearchTooBroad", "current_head", "entries_after",
    "entry_json", "entry_with_payload", "fetch_entry", "find_entries", "matches", "matching_indexes", "overview",
    "verdict_counts",
]  # fmt: skip
