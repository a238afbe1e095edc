"""Damage to the store: how it is noticed, and what is saved.

``soundness``, ``log`` and ``findings`` notice it. ``recovery`` moves the damaged file aside and puts a new one in its
place, of what ``salvage`` reads in the old one and ``retold`` tells anew.
"""
