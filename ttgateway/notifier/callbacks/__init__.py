"""Callbacks: what a URL must be, whom we may call (``policy``), and whether anybody is there."""
