"""Fixtures of the command-line tests."""

from command import autoscaler

__all__ = ["autoscaler"]
