"""The edge to the Kubernetes API server: the only place that speaks HTTP to it."""
