"""The command line, and the composition: which services there are and how they start together."""
