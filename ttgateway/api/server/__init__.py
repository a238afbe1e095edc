"""The HTTP server in front of the API: bounds whatever a peer can do to us, before a request's meaning is looked at."""
