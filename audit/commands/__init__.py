"""The subcommands of `manage.py ledger`, one module each: `HELP`, `DESCRIPTION`, `add_arguments(parser)` and
`run(command, options)`. The file's name is the subcommand's, with dashes for underscores."""
