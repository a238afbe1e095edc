"""How the gateway is found on the store's network: DNS-SD over multicast DNS, as ``_tracker-http._tcp`` (protocol 9).

``announcement`` is what is said: the name, the port, the host and a little text. ``addresses`` finds under which of the
machine's addresses the port can be reached. A ``responder`` makes the one known under the others: it announces, says it
again when addresses move, gives way to another gateway of the same name, and withdraws. It blocks, and speaks through
``multicast``, the one module that meets the library. ``presence`` runs it on a thread of its own, and is all that the
reactor sees.

``neighbours`` notes the hosts that announce themselves: for a listener there, that is a sign of life.
``browsing`` is the other side: which gateways are there, for ``ttgateway discover``.
"""
