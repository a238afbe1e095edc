"""A listener to copy from: it misses no change, does none twice, and knows what is the gateway's. Python alone.

    TTGATEWAY_TOKEN=... python3 listener.py http://GATEWAY:8000 http://THIS-MACHINE:8990/orders orders.json

With WEBHOOK_SECRET=whsec_... in the environment, it takes nothing that is not signed with that.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN, SECRET = os.environ["TTGATEWAY_TOKEN"], os.environ.get("WEBHOOK_SECRET", "")
GATEWAY, OWN_URL, FILE = sys.argv[1].rstrip("/"), sys.argv[2], Path(sys.argv[3])
ANEW = threading.Event()
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the gateway is in this store


def call(method, path, **body):
    """Call the gateway and return what it answers; raises OSError (HTTPError where it refuses)."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(
        GATEWAY + path, json.dumps(body).encode() if body else None, headers, method=method
    )
    with DIRECTLY.open(request, timeout=4) as reply:
        return json.load(reply)


def stay_registered():
    """Register at the start, when ANEW is set, and each ten minutes: the gateway's store may have been replaced.

    Each time the gateway first tells how things stand: a snapshot.
    """
    wishes = {"http_client": OWN_URL, "snapshot": True, **({"secret": SECRET} if SECRET else {})}
    while True:
        ANEW.clear()
        pause = 600
        try:
            call("POST", "/api/v2/register", **wishes)
        except OSError as error:  # it may be starting, or not reach us yet
            reason = error.read().decode() if isinstance(error, urllib.error.HTTPError) else error
            print("cannot register yet:", reason, flush=True)
            pause = 2
        ANEW.wait(pause)


def is_signed(headers, body):
    """Tell whether a delivery is the gateway's. Its age is not judged: clocks in stores are wrong, and seq knows."""
    sent = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, sent, hashlib.sha256)).decode()
    shown = (headers["webhook-signature"] or "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in shown)


class Orders:
    """The orders, and how far we are: seq, in the journal called epoch. All is in one file, old or new."""

    def __init__(self):
        self.snapshot = None  # what has come of a snapshot that is being told
        self.lock = threading.Lock()  # one delivery after the other
        self.load()

    def load(self):
        """Know what is on the disk, and nothing else."""
        kept = json.loads(FILE.read_text()) if FILE.exists() else {"epoch": "", "seq": 0, "orders": {}}
        self.epoch, self.seq, self.orders = kept["epoch"], kept["seq"], kept["orders"]

    def save(self):
        """Put all on the disk; what happens at a power cut is either before this or after it."""
        new = FILE.with_suffix(".new")
        with new.open("w") as file:
            json.dump({"epoch": self.epoch, "seq": self.seq, "orders": self.orders}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(FILE)
        folder = os.open(FILE.parent, os.O_RDONLY)
        os.fsync(folder)  # the new name, too
        os.close(folder)

    def lately_cleared(self):
        """Return the orders that were cleared of late, which are known for a while if they are told again."""
        kept = self.orders.items()
        return {uuid: one for uuid, one in kept if one["state"] == "cleared" and one["seq"] > self.seq - 500}

    def apply(self, change):
        """Do what is to be done for one change, which comes here once: this is the place for your own work."""
        print(change["seq"], change["type"], change["name"], change["state"], flush=True)
        self.orders[change["uuid"]] = change
        self.seq = max(self.seq, change["seq"])
        active = {uuid: one for uuid, one in self.orders.items() if one["state"] != "cleared"}
        self.orders = active | self.lately_cleared()

    def catch_up(self, epoch, until):
        """Fetch the changes up to ``until`` that have not come; return whether there are no others any more."""
        while epoch == self.epoch and self.seq < until:
            try:
                found = call("GET", f"/api/v2/events?since={self.seq}&epoch={epoch}&limit=100")
            except OSError as error:  # 410: no longer kept
                print("cannot fetch what is missing:", error, flush=True)
                return False
            missed = [change for change in found["items"] if change["seq"] <= until]
            if not missed:
                return False
            for change in missed:
                self.apply(change)
            self.save()
        return epoch == self.epoch

    def take_or_forget(self, *delivery):
        """Take a delivery; forget what could not be kept, or it would pass for known when it comes again."""
        try:
            return self.take(*delivery)
        except OSError:
            self.load()
            raise

    def take(self, epoch, change, in_snapshot, attempt):
        """Make a delivery safe; return False if it should come again, as something before it is missing."""
        kind, seq = change["type"], change["seq"]
        if kind == "SNAPSHOT_BEGIN":
            self.catch_up(epoch, seq)  # what we missed one by one, where that can be had
            self.snapshot = {}
        elif in_snapshot and self.snapshot is None:
            return False  # we were started in the middle of it
        elif kind == "SNAPSHOT_END":
            if epoch != self.epoch or seq >= self.seq:  # else it is an old one
                print("snapshot", seq, *sorted(one["name"] for one in self.snapshot.values()), flush=True)
                cleared = self.lately_cleared() if epoch == self.epoch else {}
                self.epoch, self.seq, self.orders = epoch, seq, cleared | self.snapshot
                self.save()
            self.snapshot = None
        elif in_snapshot:
            self.snapshot[change["uuid"]] = change
        elif epoch == self.epoch and self.orders.get(change["uuid"], {"seq": 0})["seq"] >= seq:
            print(seq, "came again", flush=True)
        else:
            if not self.catch_up(epoch, seq - 1):
                if attempt < 3:
                    return False  # a snapshot is on its way, as we register
                if epoch != self.epoch:  # it is not: then this is all that we know
                    self.epoch, self.seq, self.orders = epoch, 0, {}
            self.apply(change)
            self.save()
        return True


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the gateway keeps its connection
    timeout = 15

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the caller has gone
            super().handle()

    def do_HEAD(self):  # the gateway looks whether somebody is here
        self.answer(200)

    def do_POST(self):
        headers, length = self.headers, int(self.headers["Content-Length"] or 0)
        body = self.rfile.read(min(length, 65536))
        if len(body) < length:  # the caller has gone in the middle
            self.close_connection = True
            return None
        if SECRET and not is_signed(headers, body):
            print("a bad signature from", self.client_address[0], flush=True)
            return self.answer(401)
        try:
            epoch, change = headers["webhook-id"].partition(".")[0], json.loads(body)
            in_snapshot, attempt = headers["ttgateway-flags"] == "snapshot", int(headers["ttgateway-attempt"])
            with orders.lock:
                taken = orders.take_or_forget(epoch, change, in_snapshot, attempt)
        except OSError as error:  # the disk: let the gateway send this again
            print("cannot keep this now:", error, flush=True)
            return self.answer(503)
        except (AttributeError, LookupError, TypeError, ValueError):  # it is no delivery
            return self.answer(400)
        if not taken:
            ANEW.set()
        return self.answer(200 if taken else 503)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


orders = Orders()
own = urllib.parse.urlsplit(OWN_URL)
server = ThreadingHTTPServer((own.hostname, own.port or 80), Listener)
threading.Thread(target=stay_registered, daemon=True).start()  # the server must answer a HEAD meanwhile
with contextlib.suppress(KeyboardInterrupt):
    server.serve_forever()
