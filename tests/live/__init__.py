"""Real processes: a server started, killed and started again, and people who use it meanwhile."""
