"""Entries sent on as they come: syslog, webhook, file."""
