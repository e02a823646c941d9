"""Who may do what: scopes, passwords and bearer secrets. A user is a login; its person travels."""
