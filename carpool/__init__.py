"""Carpool offers: from what a driver says to trips that the search can scan."""
