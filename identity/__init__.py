"""Who acts: users, agents, groups, credentials, runs."""
