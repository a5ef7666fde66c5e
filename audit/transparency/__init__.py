"""What lets others check the log: keys, signed notes, checkpoints, tiles, proofs, witnesses."""
