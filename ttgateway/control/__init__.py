"""The operator's command line, and the Unix socket in the state directory that it talks to.

``server`` is the daemon's side: whoever can open the socket (mode 0600) is the operator. ``cli`` is the command
``ttgateway``; ``client`` how it talks to the daemon; ``offline`` what it does on the file where none is running.
"""
