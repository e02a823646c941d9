"""One file per thing that a person can do. Read it to know the product."""
