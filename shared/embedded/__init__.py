"""The adapters of one process: SQLite for store and bus, the machine's clock, doubles of time and chance."""
