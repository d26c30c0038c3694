"""How services run: the loop around the bus, the relay, the sweeper, settings, one process or one service."""
