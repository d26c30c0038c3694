"""Directory (名录): areas, sites, organisations, accounts, roles, sign-in."""
