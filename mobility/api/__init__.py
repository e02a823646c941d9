"""HTTP only: parse, call an action, render."""
