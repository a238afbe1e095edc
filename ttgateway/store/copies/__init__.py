"""Whole copies of the store: made while it serves (``backups``), checked (``contents``), gone back to (``restore``)."""
