"""Recorded traffic played as if it came now, through the code that scales a cluster."""
