"""Models of the course of a load, one workload at a time or all at once."""
