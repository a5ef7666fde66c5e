"""Recomputes the log from what is stored, and says what is wrong first (P6)."""
