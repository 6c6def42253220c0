"""What keeps the service up whatever is sent to it."""
