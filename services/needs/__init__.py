"""Needs: households and their files, leads, needs from order to rating, packages, and who may see a contact."""
