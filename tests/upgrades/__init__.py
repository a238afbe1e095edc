"""Upgrades, restores and backups that are killed at every step, and opened again by the real code.

``python -m tests.upgrades`` makes stores of each older schema with real rows in them (``stores``), as a clean stop and
as a kill leaves them. ``courses`` says what is done to them, and what must be so afterwards. A first run counts the
points at which it can be interrupted (``points``): each statement, each so many instructions of SQLite's machine within
one, each write, sync, truncation and deletion of a file by SQLite, each opening for writing, renaming, removing and
syncing of our own. Then, for each point, a process is started that kills itself there (``kill -9``), and what it leaves
is looked at. Nothing is made up but the clock.
"""
