"""Evidence: a bundle of entries and proofs that verifies without us."""
