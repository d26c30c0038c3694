"""Matching: for every need the right people and the right goods together, in waves, each seat given once."""
