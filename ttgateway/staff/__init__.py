"""The staff page: what a shift manager and an installer look at.

``page`` serves it at ``/`` to browsers, ``assets`` what it is made of (``static/``: one page, its style and its
scripts, no build step), ``command`` names the command that signs in, and ``sessions`` exchanges the code of a one-time
link for a secret. All that the page shows comes from the API and its WebSocket, with that secret, as for any other
client.
"""
