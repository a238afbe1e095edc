"""Attempts: one request to one listener, byte by byte, within a deadline, and the outcome that it comes to."""
