"""What is seen of one workload: its resource, its pods, its metrics, and what they teach."""
