"""What a wall clock may do to the gateway: steps, 1970 at boot, days on which clocks are set, zones that change.

``python -m tests.clocks`` steps the clock of real daemons, with Debian's ``faketime``, while they work. The tests here
let the same happen in no time, on fakes.
"""
