"""Requests made to break the server, and replies made to break the client: ``python -m tests.fuzz --requests 200000``.

A *script* is what one client sends on one connection: requests from the API's own operations (`grammar`), spoilt at
every level (`spoiling`, `bodies`, `frames`), cut into pieces, and how it leaves. Scripts run in rounds, each from a
seed of its own: most on a whole gateway in this process (`inside`), the rest against a real daemon (`outside`). What
came back is judged by `judging`; a script that breaks something is made small (`shrinking`) and kept in a file.

`replies` is the other side: what listeners may answer, and what we make of it. `atheris_targets` lets coverage lead
the way there.
"""
