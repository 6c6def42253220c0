"""What `autoscaler train` is made of: loads read, a model made of them, judged, and published."""
