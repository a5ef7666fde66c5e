"""How statements get in and run: pipeline, drivers and the doors."""
