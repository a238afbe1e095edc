"""The store: one SQLite file, and what stands in it.

``changes``   the journal: each order change once, under its ``seq``, with the text that listeners get and a CRC
``orders``    each order, active or cleared; an order and its change are written in one transaction
``listeners`` each listener, with its cursor into the journal, its accounts and the state of its backoff
``parked``    changes that a listener refused, with their text
``tokens``    a hash of each secret
``settings``  what clients set
``gateway``   one row: which journal this is (``epoch``), when it was last written, whether it was closed cleanly

Two connections, each on a thread of its own: one writes and checkpoints, one only reads. ``commits`` puts what
arrives while one transaction is being synced into the next one (group commit), and lets *riders* (cursors, the
time) travel with it. ``opening`` creates, upgrades and checks the file; ``damage`` moves a broken one aside and
saves what can be read. ``tables`` has a module for each of the tables. ``copies`` are made while all goes on, through a
connection and a thread of their own, and gone back to. The same code opens a file or ``:memory:``.
"""
