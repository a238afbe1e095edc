"""The domain: orders, their states and their changes. Pure: no I/O, no clock, no Twisted."""
