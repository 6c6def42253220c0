"""Searching for better policies: many variations of one, tried on the same recorded traffic."""
