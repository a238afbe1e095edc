"""What an office does while orders come: tokens, registrations, replays and snapshots. It notes what was answered."""

import http.client
import random
import threading
import time

from tests.crash.cast import Cast
from tests.system.daemon import Client, Daemon

PACE = 0.04
MOST_GUESTS = 5


class Office:
    """A thread that asks the gateway for things; `check` compares what was answered with what is there."""

    def __init__(self, daemon: Daemon, cast: Cast, chance: random.Random) -> None:
        self._daemon = daemon
        self._cast = cast
        self._chance = chance
        self._client = Client(daemon.port, daemon.secret, timeout=10.0)
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._tokens: list[str] = []
        self._guests: list[str] = []
        self._gone: list[str] = []
        self._number = 0
        self.answered = 0
        self.replays: list[tuple[float, int, int]] = []
        """When each replay was answered, after which seq it begins, and the last seq that it certainly holds."""

    def open(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """End the work."""
        self._ends.set()
        self._thread.join(30)
        self._client.close()

    def _run(self) -> None:
        while not self._ends.wait(PACE):
            with self._lock:
                try:
                    self._work()
                except (OSError, http.client.HTTPException):
                    self._client.close()

    def _work(self) -> None:
        self._number += 1
        kind = self._chance.random()
        if kind < 0.35:
            self._make_token()
        elif kind < 0.5 and self._tokens:
            self._revoke_token()
        elif kind < 0.75 and len(self._guests) < MOST_GUESTS:
            self._register_guest()
        elif kind < 0.9 and self._guests:
            self._remove_guest()
        elif kind < 0.96:
            self._client.call("POST", f"/api/v2/listeners/{self._cast.ids[self._cast.mirror.url]}/resync")
        else:
            self._replay()

    def _make_token(self) -> None:
        name = f"token-{self._number}"
        self._daemon.control("POST", "/tokens", {"name": name})
        self._tokens.append(name)
        self.answered += 1

    def _revoke_token(self) -> None:
        name = self._tokens.pop()  # if no answer comes, it may be there or not
        self._daemon.control("DELETE", f"/tokens/{name}")
        self._gone.append(name)
        self.answered += 1

    def _register_guest(self) -> None:
        url = f"{self._cast.guests.url}/{self._number}"
        if self._client.register(url).status == 200:
            self._guests.append(url)
            self.answered += 1

    def _remove_guest(self) -> None:
        url = self._guests[-1]
        listed = self._client.call("GET", "/api/v2/listeners")
        if listed.status != 200:
            return
        known = {shown["url"]: shown["id"] for shown in listed.fields["items"]}
        assert url in known, f"{url} registered, and is not listed"
        self._guests.pop()
        if self._client.call("DELETE", f"/api/v2/listeners/{known[url]}").status == 200:
            self._gone.append(url)
            self.answered += 1

    def _replay(self) -> None:
        seqs = self._cast.replayed.seqs()[-20:]
        if not seqs:
            return
        since, upto = max(0, max(seqs) - self._chance.randrange(5, 60)), max(seqs)
        reply = self._client.call(
            "POST", f"/api/v2/listeners/{self._cast.ids[self._cast.replayed.url]}/replay", {"since": since}
        )
        if reply.status == 200:
            self.replays.append((time.monotonic(), since, upto))
            self.answered += 1

    def check(self) -> list[str]:
        """Return what was answered and is not so."""
        with self._lock:
            there = {shown["name"] for shown in self._daemon.control("GET", "/tokens")}
            there |= {shown["url"] for shown in self._daemon.control("GET", "/listeners")}
            wanted = [*self._tokens, *self._guests, *self._cast.ids]
            lost = [f"lost: {name}" for name in wanted if name not in there]
            return lost + [f"back again: {name}" for name in self._gone if name in there]
