"""``ttgateway simulate --chaos``: what a listener must withstand, though a healthy gateway seldom does it to one.

No gateway takes part. A ``book`` keeps what happens in the simulated restaurant, decided and written by the gateway's
own code; a ``script`` makes of it what is to be sent, in which order and with which faults; the ``line`` sends it, byte
by byte as a gateway does, or broken off where the script says so; and the ``report`` says what the listener answered.
A ``run`` is all of these at work, and ``command`` what the operator sees of it.
"""
