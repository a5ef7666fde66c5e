"""What may happen: data sources, catalogue, analysis, masking, policy."""
