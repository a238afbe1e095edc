"""Real gateways that are killed with ``kill -9`` again and again: ``python -m tests.crash --cycles 300``.

A *series* is one gateway on a state directory of its own: some two dozen kills under traffic, while it starts, while it
stops, while it upgrades a file and while it recovers a damaged one. Then everything that was told is held to the
promises.
"""
