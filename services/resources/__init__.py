"""Charity resources: lots of goods, money and services, what they may be used for, and who holds how much."""
