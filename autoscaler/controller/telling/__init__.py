"""What is told of outcomes: status, events, metrics, health, and the store."""
