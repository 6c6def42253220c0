"""The forecast and plan code over recorded traffic, with simulated pods, rivals, scores and a report."""
