"""A listener in thirty lines; it needs Python alone. Run it with a port: python3 short_listener.py 8990"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Listener(BaseHTTPRequestHandler):
    last = 0  # the seq of what came last; a real listener keeps it on its disk

    def do_HEAD(self):  # the gateway looks whether somebody is here
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        previous = int(self.headers["ttgateway-previous"])
        if body["seq"] == Listener.last:
            print(body["seq"], "came again", flush=True)
        else:
            if Listener.last not in (0, previous):
                print("something is missing between", Listener.last, "and", body["seq"], flush=True)
            print(body["seq"], body["type"], body.get("name"), body.get("state"), flush=True)
            Listener.last = body["seq"]  # a real listener makes the change durable here, before it answers
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Listener).serve_forever()
