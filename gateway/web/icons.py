"""The icons: strokes on a 16 by 16 grid, inlined so that they take the colour of the text around them.

The three verdicts differ in outline (circle, diamond, octagon), so they can be told apart without colour.
"""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PATHS: dict[str, str] = {
    "allow": '<circle cx="8" cy="8" r="6.5"/><path d="M5 8.250l2.1 2.1L11 6"/>',
    "review": '<path d="M8 1.2 14.8 8 8 14.8 1.2 8z"/><path d="M6.7 6.2v3.6M9.3 6.2v3.6"/>',
    "deny": '<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"/><path d="M5 8h6"/>',
    "clock": '<circle cx="8" cy="8" r="6.5"/><path d="M8 4.5V8l2.3 1.7"/>',
    "play": '<circle cx="8" cy="8" r="6.5"/><path d="M6.7 5.5 10.5 8l-3.8 2.5z"/>',
    "check": '<path d="M2.5 8.5 6.3 12.3 13.5 4"/>',
    "cross": '<path d="M3.5 3.5l9 9M12.5 3.5l-9 9"/>',
    "failed": '<path d="M8 1.8 15 14H1z"/><path d="M8 6.2v3.6M8 11.8v.1"/>',
    "question": ('<circle cx="8" cy="8" r="6.5"/><path d="M6 6.3a2 2 0 1 1 2.8 1.9c-.6.3-.8.6-.8 1.2M8 11.6v.1"/>'),
    "back": '<path d="M6.5 3 2 7.5 6.5 12M2.3 7.5H10a4 4 0 0 1 4 4v1.5"/>',
    "chevron": '<path d="M3.5 6 8 10.5 12.5 6"/>',
    "drift": '<path d="M1.5 5.5c2-2.5 4.3-2.5 6.5 0s4.5 2.5 6.5 0M1.5 10.5c2-2.5 4.3-2.5 6.5 0s4.5 2.5 6.5 0"/>',
    "dot": '<circle cx="8" cy="8" r="3.5" fill="currentColor"/>',
    "ring": '<circle cx="8" cy="8" r="4.5"/>',
    "person": '<circle cx="8" cy="5" r="2.8"/><path d="M2.5 14c.4-3.2 2.5-4.8 5.5-4.8s5.1 1.6 5.5 4.8"/>',
    "person-check": '<circle cx="6.5" cy="5" r="2.8"/><path d="M1 14c.4-3.2 2.5-4.8 5.5-4.8M9 12l2 2 4-4.6"/>',
    "agent": (
        '<rect x="2.5" y="5.2" width="11" height="8" rx="2"/>'
        '<path d="M8 5.2V2.3M5.7 8.6v1M10.3 8.6v1M1 8.5v2M15 8.5v2"/>'
    ),
    "dashboard": (
        '<rect x="1.8" y="1.8" width="5" height="6.4" rx="1"/><rect x="9.2" y="1.8" width="5" height="3.4" rx="1"/>'
        '<rect x="1.8" y="10.8" width="5" height="3.4" rx="1"/><rect x="9.2" y="7.8" width="5" height="6.4" rx="1"/>'
    ),
    "requests": '<path d="M2 9.5h3.5l1 2h3l1-2H14M2 9.5v4h12v-4L12 3H4z"/>',
    "queries": '<ellipse cx="8" cy="3.8" rx="5.5" ry="2.2"/><path d="M2.5 3.8v8.4c0 1.2 2.5 2.2 5.5 2.2s5.5-1 '
    '5.5-2.2V3.8M2.5 8c0 1.2 2.5 2.2 5.5 2.2s5.5-1 5.5-2.2"/>',
    "ledger": (
        '<path d="M3 1.8h9.5v12.4H3zM5.5 1.8v12.4M7.8 5h2.7M7.8 8h2.7"/><path d="M1.7 5h2.6M1.7 8h2.6M1.7 11h2.6"/>'
    ),
    "policy": (
        '<path d="M8 1.5 13.5 3.5v4.2c0 3.4-2.3 5.6-5.5 6.8-3.2-1.2-5.5-3.4-5.5-6.8V3.5z"/>'
        '<path d="M5.5 8l1.8 1.8 3.2-3.4"/>'
    ),
    "grants": '<rect x="1.6" y="4" width="12.8" height="8" rx="1.5"/><path d="M10.4 4v8M4.2 7h3.4M4.2 9.4h2"/>',
    "glass": (
        '<rect x="2.2" y="1.8" width="11.6" height="12.4" rx="1"/>'
        '<path d="M8.4 1.8 6.6 6.2l3.4 1.5-2.6 2.5 1.2 4M6.6 6.2 2.2 7.8M10 7.7l3.8-1.4"/>'
    ),
    "bell": '<path d="M3 12h10l-1.2-2V7a3.8 3.8 0 0 0-7.6 0v3zM6.5 14h3M8 3.2V1.6"/>',
    "plus": '<path d="M8 2.5v11M2.5 8h11"/>',
    "minus": '<path d="M2.5 8h11"/>',
    "edit": '<path d="M2.5 13.5l.7-3.1 7.6-7.6 2.4 2.4-7.6 7.6z"/><path d="M9.3 4.3l2.4 2.4"/>',
    "run": '<path d="M2 3.5 6.5 8 2 12.5M8 12.5h6"/>',
    "patterns": '<path d="M8 1.5 14.5 5 8 8.5 1.5 5zM1.5 8 8 11.5 14.5 8M1.5 11 8 14.5l6.5-3.5"/>',
    "menu": '<path d="M2 4h12M2 8h12M2 12h12"/>',
    "theme": '<circle cx="8" cy="8" r="6.5"/><path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor"/>',
    "key": '<circle cx="5" cy="11" r="3"/><path d="M7.2 8.8 13.5 2.5M11 5l2 2"/>',
    "keyboard": (
        '<rect x="1.2" y="3.8" width="13.6" height="8.6" rx="1.5"/>'
        '<path d="M4 6.5h.1M7 6.5h.1M10 6.5h.1M12.3 6.5h.1M5 9.8h6"/>'
    ),
    "sign-out": '<path d="M6 2H2.5v12H6M6.5 8h8M11.5 5l3 3-3 3"/>',
    "copy": '<rect x="5.5" y="5.5" width="8.5" height="8.5" rx="1.2"/><path d="M10.5 3V2.2H2.2v8.3H3"/>',
    "mask": (
        '<path d="M1.5 5.5c4-1.5 9-1.5 13 0-.2 4-1.7 6-3.7 6-1.6 0-2-1.2-2.8-1.2s-1.2 1.2-2.8 1.2c-2 0-3.5-2-3.7-6z"/>'
        '<path d="M4 7.5h2M10 7.5h2"/>'
    ),
    "info": '<circle cx="8" cy="8" r="6.5"/><path d="M8 7.3V11M8 4.9V5"/>',
    "empty": '<rect x="2" y="2.5" width="12" height="11" rx="1.5" stroke-dasharray="2.5 2"/><path d="M5.5 8h5"/>',
    "lock": '<rect x="3" y="7" width="10" height="7" rx="1.2"/><path d="M5 7V4.8a3 3 0 0 1 6 0V7"/>',
    "cancel": '<circle cx="8" cy="8" r="6.5"/><path d="M3.5 3.5l9 9"/>',
    "previous": '<path d="M10 3 5 8l5 5"/>',
    "next": '<path d="M6 3l5 5-5 5"/>',
    "seal": '<circle cx="8" cy="8" r="6.7"/><path d="M3.4 8.3l2.4 2.4L10 5.8M8.4 10.6l.2.1L12.8 5.8"/>',
}


def icon(name: str) -> SafeString:
    """Hidden from screen readers: a word always stands beside it."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(PATHS[name]),  # noqa: S308  constants of this file
    )
