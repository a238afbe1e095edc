"""A kitchen display, as a how-to takes it for granted: ``python3 display.py ADDRESS PORT`` answers 200 to all."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Display(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_HEAD()


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Display).serve_forever()
