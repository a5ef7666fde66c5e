"""The demo: an invented shop, people, agents, and the processes that serve them. Nothing of it is used in production."""
