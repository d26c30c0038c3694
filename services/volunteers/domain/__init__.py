"""The rules of this service: plain functions from a record to a change of it."""
