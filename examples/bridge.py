"""A radio bridge in forty lines; it needs Python alone. It stands in for readers at the tables, and reads from stdin:

    66        tracker 66 was taken from the stack
    66 22     tracker 66 was put on table 22
    66 -      tracker 66 was put back

Run it with the path of the gateway's socket: python3 bridge.py /run/ttgateway/bridge.sock
"""

import json
import socket
import sys
import threading
import time


class Bridge:
    """The connection to the gateway, made again whenever it is lost."""

    def __init__(self, path):
        self.path = path
        self.connect()
        threading.Thread(target=self.hear, daemon=True).start()

    def connect(self):
        """Connect, however long that takes: the gateway may be starting."""
        while True:
            self.gateway = socket.socket(socket.AF_UNIX)
            try:
                return self.gateway.connect(self.path)
            except OSError:
                time.sleep(1)

    def hear(self):
        """Do what the gateway says."""
        while True:
            try:
                for line in self.gateway.makefile(encoding="utf-8"):
                    print("gateway:", line.strip(), flush=True)  # a real bridge lets the tracker buzz here
            except OSError:
                pass
            self.connect()

    def tell(self, tracker, table):
        """Tell the gateway where a tracker is, as soon as it is there."""
        report = {"tracker": tracker, "event": {"": "started", "-": "cleared"}.get(table, "located")}
        if report["event"] == "located":
            report["location"] = table
        while True:
            try:
                return self.gateway.sendall(json.dumps(report).encode() + b"\n")
            except OSError:
                time.sleep(1)


bridge = Bridge(sys.argv[1])
for typed in sys.stdin:
    tracker, _, table = typed.strip().partition(" ")
    bridge.tell(tracker, table)
