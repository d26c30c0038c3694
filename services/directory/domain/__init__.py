"""The directory's records and rules."""
