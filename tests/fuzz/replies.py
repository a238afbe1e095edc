"""What a listener may answer: replies by the grammar of HTTP/1.1, replies spoilt, and any bytes at all.

Each is heard by a real `Attempt` on a real `ListenerConnection`, whole and in pieces: however it is cut, it must end as
the same outcome, within the attempt's 10 s, within the limits, and without an exception.

``python -m tests.fuzz.replies --replies 20000 [--seed S]`` prints what was done; exit 1 where one of them broke that.
"""

import argparse
import random
import sys
import time
from collections import Counter
from itertools import pairwise
from random import Random

import msgspec
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from tests.fuzz.gateway import Complaints
from tests.fuzz.judging import Wrong
from tests.fuzz.spoiling import chunked, spoilt_bytes, spoilt_head
from tests.notifier.network import FakeDial, fake_network, pass_time
from ttgateway.notifier.attempts.attempt import DELIVERY, Destination
from ttgateway.notifier.attempts.connection import MOST_BODY_BYTES, MOST_HEADER_BYTES, MOST_INTERIM
from ttgateway.notifier.attempts.outcome import Outcome, Reply, Verdict, judged
from ttgateway.notifier.callbacks.callback import CallbackURL

URL = CallbackURL.parse("http://10.0.1.18:8989/v1/notify")
REQUEST = b"POST /v1/notify HTTP/1.1\r\nHost: 10.0.1.18:8989\r\nContent-Length: 2\r\n\r\n{}"

ENDS_WITHIN = 10.1

TOO_MANY = b"HTTP/1.1 100 So\r\n\r\n" * (MOST_INTERIM + 1)
MOST_TAKEN = MOST_HEADER_BYTES + 6 * MOST_BODY_BYTES
"""Bytes after which we must have closed, but for the last piece: a chunk of one byte has five of framing."""

_PHRASES = (b"OK", b"", b"Not Found", b"So  so", b"\xe9t\xe9")
_FIELDS = (
    *(b"Server: x", b"Date: Sun, 06 Nov 1994 08:49:37 GMT", b"Content-Type: text/html", b"X: ", b"X:y", b"x:\t y \t"),
    *(b"Set-Cookie: a=b", b"Set-Cookie: c=d", b"Content-Encoding: gzip", b"Location: http://127.0.0.1/", b"X: \xff"),
    *(b"Connection: close", b"Connection: keep-alive", b"Keep-Alive: timeout=5", b"Vary: *", b"X: " + b"y" * 3_000),
)
_RETRIES = (b"120", b"0", b"-1", b"9" * 400, b"Sun, 06 Nov 1994 08:49:37 GMT", b"\xff", b"", b"1e9")


class Case(msgspec.Struct, frozen=True):
    """A reply; ``means`` is the status and Retry-After that it must be taken for, ``None`` where only it knows.

    ``ends``: the listener closes the connection after it; ``head``: it answers a HEAD.
    """

    data: bytes
    means: Reply | None
    ends: bool
    head: bool


def sound(random: Random) -> Case:
    """Return a reply that is right, by the grammar of RFC 9112."""
    status = random.choice([200, 201, 202, 204, 206, 301, 302, 304, 400, 404, 408, 410, 429, 500, 503, 599, 299])
    interim = b"".join(
        b"HTTP/1.1 %d So\r\n%s\r\n" % (random.choice([100, 102, 103]), random.choice([b"", b"Link: x\r\n"]))
        for _ in range(random.choice([0, 0, 0, 1, MOST_INTERIM]))
    )
    fields = [random.choice(_FIELDS) for _ in range(random.randrange(4))]
    retry = random.choice([None, None, *_RETRIES])
    if retry is not None:
        fields.insert(random.randrange(len(fields) + 1), b"Retry-After: " + retry)
    head, ends, body = (
        random.random() < 0.1,
        False,
        random.randbytes(random.choice([0, 1, 20, MOST_BODY_BYTES, 9_000, 70_000])),
    )
    turn = random.randrange(3)
    if status in (204, 304):
        body = b""
    elif turn == 0:
        fields.append(b"Transfer-Encoding: chunked")
        body = chunked(body, random, right=True)
    elif turn == 1:
        fields.append(b"Content-Length: %d" % len(body))
    else:
        ends = True
    version = random.choice([b"1.1", b"1.1", b"1.0"])
    first = b"HTTP/%s %d %s\r\n" % (version, status, random.choice(_PHRASES))
    data = interim + first + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + (b"" if head else body)
    return Case(data, Reply(status, None if retry is None else retry.strip()), ends, head)


def spoilt(random: Random) -> Case:
    """Return a reply with something wrong in it, or what is none at all."""
    turn = random.randrange(6)
    case = sound(random)
    data = case.data
    if turn < 2:
        data = spoilt_bytes(data, random)
    elif turn == 2:
        lines = data.split(b"\r\n")
        first, fields = spoilt_head(lines[0], lines[1:], random)
        data = b"\r\n".join([first, *fields])
    elif turn == 3:
        data = data[: random.randrange(len(data) + 1)]
    elif turn == 4:
        data = data + random.choice(
            [
                data,
                b"HTTP/1.1 600 So\r\n\r\n",
                b"HTTP/1.1 103 So\r\n\r\n",
                b"\r\n",
                b"HTTP/1.1 200 OK\r\n\r\n",
                b"\0",
                b"x" * 20_000,
            ]
        )
    else:
        odd = (
            *(
                random.randbytes(random.choice([1, 50, 20_000])),
                TOO_MANY,
                TOO_MANY + b"HTTP/1.1 200 OK\r\n\r\n",
                b"SSH-2.0-x\r\n",
            ),
            *(
                b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\0\xff",
                b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 15_000,
            ),
            *(b"HTTP/1.1 99 So\r\n\r\n", b"HTTP/1.1 600 So\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n"),
            *(b"HTTP/1.1 200 " + b"O" * 40_000, b"HTTP/1.1 200 OK\r\n" + b"X" * 40_000, b"\r\n" * 9_000, b"{}"),
            *(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"<html>"),
        )
        data = random.choice(odd)
    return Case(data, None, random.random() < 0.5, case.head)


def heard(case: Case, cuts: tuple[int, ...]) -> Outcome:
    """Return what an attempt makes of a reply that comes in pieces; raise `Wrong` where it breaks a promise."""
    timers, dial = Clock(), FakeDial()
    outcomes: list[Outcome] = []
    destination = Destination(URL, fake_network(timers, dial=dial))
    destination.attempt(REQUEST, outcomes.append, DELIVERY, head=case.head)
    peer = dial.peer
    peer.received()
    places = sorted({0, len(case.data), *cuts})
    taken = longest = 0
    for begin, end in pairwise(places):
        if peer.open:
            peer.send(case.data[begin:end])
            taken, longest = end, max(longest, end - begin)
            if peer.open and taken > MOST_TAKEN + longest:
                raise Wrong(f"{taken} bytes were taken, and it goes on")
    if case.ends:
        peer.lose(ConnectionDone())
    if not outcomes:
        pass_time(timers, ENDS_WITHIN)
    if len(outcomes) != 1:
        raise Wrong(f"{len(outcomes)} outcomes of one attempt")
    pass_time(timers, 2.5)
    if peer.open or timers.getDelayedCalls():
        raise Wrong("a connection or a timer is left")
    return outcomes[0]


def check(case: Case, cuts: tuple[int, ...]) -> Outcome:
    """Return the outcome; raise `Wrong` where pieces give another one than the whole, or it is not what it must be."""
    whole, cut = heard(case, ()), heard(case, cuts)
    if whole != cut:
        raise Wrong(f"cut at {cuts[:20]} it is {cut}, in one piece {whole}")
    if case.means is not None and len(case.data) < MOST_HEADER_BYTES and whole != judged(case.means):
        raise Wrong(f"{whole} in place of {judged(case.means)}")
    if case.data.startswith(TOO_MANY) and whole.status:
        raise Wrong(f"{whole} after too many interim replies")
    if whole.verdict is Verdict.DELIVERED and not 200 <= whole.status < 300:
        raise Wrong(f"delivered with {whole.status}")
    return whole


def made(seed: str) -> tuple[Case, tuple[int, ...]]:
    """Return the reply of a seed, and where it is cut."""
    random = Random(seed)  # noqa: S311
    case = sound(random) if random.random() < 0.4 else spoilt(random)
    size = len(case.data)
    if size > 30_000:
        return case, tuple(range(0, size, 1_000))
    every = tuple(range(size)) if size < 400 and random.random() < 0.3 else ()
    return case, every or tuple(sorted(random.randrange(size + 1) for _ in range(random.choice([1, 2, 6]))))


def main() -> int:
    """Do as many as were asked for; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.replies", description=__doc__)
    asked.add_argument("--replies", type=int, default=20_000)
    asked.add_argument("--seed", default=str(random.randrange(1_000_000)))  # noqa: S311
    asked.add_argument("--one", default="", metavar="SEED", help="do this one again, and nothing else")
    options = asked.parse_args()
    complaints, verdicts, failed, began = Complaints(), Counter[str](), 0, time.monotonic()
    globalLogPublisher.addObserver(complaints)
    seeds = [options.one] if options.one else [f"{options.seed}/{number}" for number in range(options.replies)]
    for seed in seeds:
        case, cuts = made(seed)
        try:
            verdicts[check(case, cuts).verdict] += 1
            if complaints.found:
                raise Wrong(f"logged: {complaints.found.pop()}")
        except Exception as error:
            failed += 1
            print(f"replies: FAILED: {error!r}: {case.data[:300]!r}")
            print(f"replay: {sys.executable} -m tests.fuzz.replies --one {seed}")
        if failed > 5:
            break
    seconds = time.monotonic() - began
    print(
        f"replies: {sum(verdicts.values())} in {seconds:.0f} s, seed {options.seed}: {dict(verdicts)};"
        f" {failed} failures"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
