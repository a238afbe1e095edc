"""The Unix socket in the state directory, by which whoever runs the gateway tells it what to do.

``server`` answers on it: whoever can open it (mode 0600) is the operator. ``socket`` stands in front of it, for those
who say one line instead of HTTP. ``standing`` and ``surroundings`` are what the gateway says there of itself. The
commands (`ttgateway.commands`) talk to it.
"""
