"""PLAN: what was observed and what is forecast in, a replica count with its reasons out. Pure."""
