"""Background work; each job calls an action or keeps stored data ready for the API processes."""
