"""What the directory takes and gives over HTTP."""
