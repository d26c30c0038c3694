"""The rules of this service: plain functions from a match and what was heard to a change of the match."""
