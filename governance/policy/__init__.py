"""Policy: facts in, decision out. `decision` and `engine` are pure; `store` keeps versions."""
