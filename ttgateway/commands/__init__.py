"""The command line: ``cli`` is the command ``ttgateway``; each module beside it is one of its commands, or two.

``terminal`` is what every command is given: the state directory, a way to run in the reactor until an end is asked for,
tables, progress. ``gateway`` reaches a gateway: through the control socket of its daemon, through its HTTP API, or,
where none runs, in the file itself. ``checks`` are the parts that ``check`` looks at. ``simulation`` is the restaurant
of ``simulate``, and ``chaos`` the day in which one listener has every trouble; ``receiving`` is the listener of
``listen``.
"""
