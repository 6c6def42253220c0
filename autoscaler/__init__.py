"""Predictive autoscaling for Kubernetes: read, forecast, plan, act, explain."""

__version__ = "0.1.0"
