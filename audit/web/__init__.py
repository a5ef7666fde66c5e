"""Pages of the ledger: parse, fetch for this person, call one service, render."""
