"""The registry of helpers: people, teams, certificates, availability, calendars, invitations, hours."""
