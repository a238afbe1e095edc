"""Each state that a power cut could leave of the real store, opened by the real opening code, and checked.

``python -m tests.crashstates --states 50000`` (or ``make crashstates``). The workloads of ``scenarios`` run on the real
store, recorded (``tests/disks``) together with what was asked and what was answered (``notes``). ``exploration`` takes
states along the log: near each sync all subsets of the last unsynced writes, elsewhere by chance. ``examination`` lays
each one out, opens it and holds it against the ``ledger``; in some it cuts the power again while it opens. ``mutants``
are stores with a known fault, which must be found.
"""
