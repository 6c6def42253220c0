"""What answers and bodies look like, for the OpenAPI."""
