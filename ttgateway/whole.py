"""How large a whole number may be."""

MOST_WHOLE = 2**53
"""Beyond it, parsers that read all numbers as doubles see another number: many JSON readers do."""
