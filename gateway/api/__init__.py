"""The REST door: `/api/v1/`. Each action parses, fetches for this principal, calls one service, and renders."""
