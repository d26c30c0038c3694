"""Real servers for tests: given by address, in containers, or native on this machine. See README.md."""
