"""Does the time that the gateway takes to refuse a secret tell how much of it was right?"""

import http.client
import itertools
import statistics
import time

from tests.abuse.siege import Outcome, Scene

NAME = "secret-timing"
ABOUT = "wrong secrets that begin as a right one does take as long as any"
ADDRESSES, OF_AN_ADDRESS = 6, 400
"""How many guesses are made, and from where: a peer that guesses more often is slowed down."""
PAUSE = 0.001
MOST_PART, MOST_SECONDS = 0.02, 20e-6
"""What the medians may differ by: a part of them, or what no network can see."""


def time_secrets(scene: Scene) -> Outcome:
    """Guess at a secret in two ways, in turn; the medians of the times of the refusals must be alike."""
    outcome = Outcome(NAME)
    right = scene.daemon.secret
    guesses = (right[:-1] + ("0" if right[-1] != "0" else "1"), "".join(chr(ord(one) ^ 1) for one in right))
    taken: tuple[list[float], list[float]] = ([], [])
    statuses = set()
    for number in range(ADDRESSES):
        source = (f"127.88.0.{number + 1}", 0)
        connection = http.client.HTTPConnection("127.0.0.1", scene.daemon.port, timeout=5, source_address=source)
        for which in itertools.islice(itertools.cycle((0, 1, 1, 0)), OF_AN_ADDRESS):
            headers = {"Authorization": f"Bearer {guesses[which]}"}
            time.sleep(PAUSE)
            began = time.perf_counter()
            connection.request("GET", "/api/v2/activeorders", headers=headers)
            reply = connection.getresponse()
            taken[which].append(time.perf_counter() - began)
            reply.read()
            statuses.add(reply.status)
        connection.close()
    nearly, wrong = (statistics.median(each) for each in taken)
    apart = abs(nearly - wrong)
    outcome.lines.append(
        f"  refused    {ADDRESSES * OF_AN_ADDRESS:,} guesses, median {nearly * 1e6:.0f} us where all but the last "
        f"character is right, {wrong * 1e6:.0f} us where none is, {apart * 1e6:.1f} us apart"
    )
    outcome.promise(statuses == {401}, f"guesses were answered by {sorted(statuses)}")
    outcome.promise(apart <= max(MOST_PART * wrong, MOST_SECONDS), "the time of a refusal tells of the secret")
    return outcome
