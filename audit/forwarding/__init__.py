"""Entries sent on as they come: syslog, webhook, file.

`administration` adds and changes forwarders, `running` works one off, through the door of its kind: `syslog`, `webhook`
or `files`. `batches` reads what comes next, `health` says how far each is, `tasks` is what Celery calls.
"""
