"""What happened: ledger, live feed, search, verification."""
