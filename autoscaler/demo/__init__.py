"""Recorded traffic played live through the controller's own code, and shown by the service."""
