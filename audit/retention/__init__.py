"""What does not stay for ever: subjects' keys and erasure, archives and pruning."""
