"""The tables, one module each: how what we know becomes rows, and rows what we know."""
