"""What requests to this service hold, and what its answers show."""
