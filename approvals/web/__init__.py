"""Pages of approvals: parse, fetch for this person, call one service, render."""
