"""The notifier: tells every listener of every order change.

How a change gets to a listener
    The journal announces that changes are durable; `Waking` wakes the `ListenerQueue` of each listener that wants
    changes of their types. A queue asks `Upcoming` what comes after its listener's cursor, has `Calls` make one
    attempt at it, and looks at the `Outcome`: delivered (the cursor moves), down (wait, try again, for ever), refused
    (a few more tries, then this change is parked), gone (the listener is removed). `Accounts` writes down what became
    of it. Then it looks again. There is no other loop, and no list of waiting changes: a wake-up cannot be lost, as the
    queue compares its cursor with the journal before it idles.

How changes are told again
    A replay is a second position in the progress, which runs up to where the cursor stands, and goes before it. A
    snapshot (`snapshot`) is made of what is in memory, when it is due; what has left the memory and cleared an order is
    read before, for a listener without marks. `Resyncs` holds back what is asked for too often. That either is due is
    durable before it begins. Neither is a state of the queue: they only change what comes next.

What a healthy listener costs
    One connection while there is traffic. A delivery makes no timer (one `Sweep` looks at all deadlines), no Deferred,
    and no turn of the reactor: its request is handed to the kernel at once, and `Readiness` reads the answers of all
    listeners in one turn. An answer that is, byte for byte, the one before is not parsed again.

What a listener in trouble costs the others
    Nothing. It has its own connection, state and backoff; at most `places.MOST` of its kind are tried at a time.

What ends a backoff early
    Any sign of life: registering again, any request from that host (`SignsOfLife`) or announcement of its address
    (`ttgateway.discovery.neighbours`), an answer to a ping.

How an attempt is kept on a leash
    In `callbacks`, `callback` parses a URL once and strictly; `resolver` looks names up in a small pool of its own,
    with a deadline; `policy` judges the address that will be dialled, each time. In `attempts`, `connection` counts
    every byte of the answer; `attempt` ends it all within ten seconds.

How it starts and stops
    After a power-up queues start spread by chance, those in trouble within five seconds. At a stop what is in flight
    has `notifier.GRACE` seconds to end. A queue that is killed instead has lost nothing but the last moves of its
    cursor: the listener gets these again, under the same ``webhook-id``.
"""
