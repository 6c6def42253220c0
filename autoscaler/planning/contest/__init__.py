"""Two policies for one target on simulated pods, judged by one rule: the spec's own, and its shadow. Pure."""
