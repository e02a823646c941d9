"""Fares: tariffs as data and prices that name their rules."""
