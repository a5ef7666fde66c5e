"""What auditors ask, over a period: figures, tables, plots, PDF."""
