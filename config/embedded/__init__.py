"""PostgreSQL and Redis of an installation that has none of its own. `config/services.py` is the way in."""
