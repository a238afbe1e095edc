"""The HTTP API, versions 1 and 2, side by side (protocol sections 1 to 6).

``server`` keeps floods and malformed HTTP out; ``routes`` says for each path who may call it, and turns what a handler
returns or raises into the one shape of reply; ``codes`` is the table of errors; ``render`` knows how orders, tokens and
times look in each version; one module a family holds the handlers themselves. ``document`` describes all of it.
"""
