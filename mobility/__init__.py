"""The application: everything that touches the outside world."""
