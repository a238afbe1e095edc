"""The radio bridge: whoever speaks to the trackers speaks to us in lines of JSON (protocol section 9).

How a report becomes an order
    `BridgeConnection` cuts what comes into lines (`lines.Incoming`), reads each (`lines.read`), and carries it out on
    the `Gateway` in the order of the lines: a line is decided before the next one is read, and waits for its commit
    together with those that follow. What cannot be read or is refused is answered with an error line; the stream goes
    on.

How a page gets to a tracker
    The gateway tells the `Radio` what is durable, and the radio tells the connection. A bridge that connects is told
    how things stand, so nothing is lost while it is away.

Who connects to whom
    With ``bridge.at`` we connect, for ever (`dialling.Dialling`); with ``bridge.listen`` the bridge connects to us
    (`listening.Listening`), and the newest connection wins.

How a bridge is kept on a leash
    So many commands under way, so many bytes unread by it, and so long: `connection` tells the numbers.
"""
