"""A disk that forgets: what a power cut leaves of the files that the real store wrote.

``operations`` what is done to files and names, as values
``medium``     pure: the files and names of one directory, what of them is durable, and what a power cut may leave
``recording``  an SQLite VFS above the real one: it keeps the log of a directory's operations, and cuts the power
``faults``     calls that fail
``laying``     from a directory to its image, and back
``file``       a file that SQLite has open there
``calls``      the same for what is done by Python: renames, deletions, copies, syncs

`recording.install` belongs at the very beginning of a process of its own, before any database is opened: the
store's checksums (``ttgateway/store/pages.py``) wrap whatever is SQLite's default then.
"""
