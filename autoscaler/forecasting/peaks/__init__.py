"""The peak over the lead time, learned from many loads and from each one's own past."""
