"""Who may do what: signed tokens that every service verifies by itself, and one policy table."""
