"""The adapters of one process: SQLite for store and bus, the machine's clock, and doubles of time and chance."""
