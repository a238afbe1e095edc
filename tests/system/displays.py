"""Kitchen displays on a store's network: ``python displays.py FOLDER ADDRESS`` serves http and https, and their names.

Each POST is a line of JSON in ``FOLDER/told``: its scheme, and the ``seq``. The certificate is ``FOLDER/display.pem``.
Every name is that of ``ADDRESS``, to whom asks by DNS.
"""

import json
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HTTP, HTTPS = 9000, 9443


class Display(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        seq = json.loads(self.rfile.read(int(self.headers["content-length"])))["seq"]
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        with (folder / "told").open("a") as told:
            told.write(json.dumps([scheme, seq]) + "\n")
        self.do_HEAD()


def answer_names(at: str) -> None:
    """Answer each query of an A record with ``at``, and others with nothing."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((at, 53))
    while True:
        query, peer = server.recvfrom(4096)
        end = query.index(b"\0", 12) + 5
        record = (
            b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(at) if query[end - 4 : end - 2] == b"\0\1" else b""
        )
        counts = b"\x85\x80\0\1" + (b"\0\1" if record else b"\0\0") + b"\0\0\0\0"
        server.sendto(query[:2] + counts + query[12:end] + record, peer)


if __name__ == "__main__":
    folder, address = Path(sys.argv[1]), sys.argv[2]
    threading.Thread(target=answer_names, args=(address,), daemon=True).start()
    plain, sealed = (ThreadingHTTPServer((address, port), Display) for port in (HTTP, HTTPS))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "display.pem")
    sealed.socket = context.wrap_socket(sealed.socket, server_side=True)
    threading.Thread(target=sealed.serve_forever, daemon=True).start()
    plain.serve_forever()
