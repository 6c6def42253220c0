"""The load of one tier forecast by that of the tier in front of it."""
