"""ttgateway: an in-store order gateway.

How an order change travels:

1. A face (``api``, the radio ``bridge``) turns a request into one call on
   :class:`ttgateway.gateway.Gateway`.
2. ``orders`` decides, in memory, without any I/O: the new state of the order, and the
   :class:`~ttgateway.orders.change.OrderChange` with the next ``seq``.
3. ``store`` commits order and change in one SQLite transaction. Only then is the request answered.
4. The seq is announced. Each listener's queue in ``notifier`` wakes, reads what lies after its own
   cursor, and posts it: in order, one at a time, until the listener answers 2xx.

A listener *is* a cursor into the journal of changes: there is no second copy that could disagree,
and a restart is the same as catching up. Whoever reads along in another way (``feeds``: the WebSocket, and who asks for
what it missed) is a cursor too.

``tap`` wires all this; nothing else of the daemon meets the reactor, the files or the threads. ``commands`` is the
operator's command line; it tells a daemon what to do through the Unix socket of ``control``.
"""

__version__ = "0.1.0"
