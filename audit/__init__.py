"""What happened: the ledger, what proves it, and what reads it. docs/architecture.md lists the parts."""
