"""How a command reaches a gateway: its control socket (``client``), its API (``api``), its file (``offline``)."""
