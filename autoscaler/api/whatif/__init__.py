"""What another policy would have done with a workload's own past, and which policies would have done best."""
