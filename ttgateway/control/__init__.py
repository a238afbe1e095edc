"""The operator's command line, and the Unix socket in the state directory that it talks to.

``server`` is the daemon's side: whoever can open the socket (mode 0600) is the operator. ``socket`` stands in front
of it, for those who say one line instead of HTTP. ``cli`` is the command
``ttgateway``, and gives each of its commands a ``console``: the state directory, and a way to run in the reactor until
an ``ending`` is asked for.

``tokens`` and ``show`` ask the daemon through ``client``; where none runs, ``tokens`` goes to the file by ``offline``.
``listen`` and ``simulate`` are clients of the HTTP API (``api``) like any other, with a secret of their own or one that
the daemon lends (``lending``): ``listen`` runs a ``listener``, judges what it is told (``deliveries``) and prints it
(``printing``); ``simulate`` decides on a ``floor`` what happens and does it by ``driving`` the API. Every request goes
through ``calling``, which bounds it.
"""
