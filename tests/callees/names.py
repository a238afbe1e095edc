"""Tricks that a name can play: what the DNS says of it, at each look-up, and what must come of that."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.callees.addresses import GOOD, GOOD_6, Place

MANY_GOOD = tuple(f"10.0.2.{number}" for number in range(1, 41))

Answer = tuple[str, ...]
"""The addresses that the DNS gives; none: the name exists, and has no address."""


class Trick(NamedTuple):
    """A name, and what is answered when it is looked up (the last answer stays).

    ``seen_at`` says when the bad address must have been seen: at ``registration``, or only at a later ``dial``.
    """

    name: str
    host: str
    answers: tuple[Answer, ...]
    seen_at: str = "registration"


def of(place: Place, number: int) -> Iterator[Trick]:
    """Yield the tricks that end at ``place``, which may be bad; ``number`` makes the names unique."""
    bad, good = place.text, (GOOD,)
    mixed = GOOD if ":" in bad else GOOD_6
    zone = f"n{number}.test"
    plain = ((bad,),)
    yield Trick("gives it", f"gives.{zone}", plain)
    yield Trick("gives it, in capitals", f"GIVES.Capitals.{zone}", plain)
    yield Trick("gives it, a dot after", f"dot.{zone}.", plain)
    yield Trick("gives it twice", f"twice.{zone}", ((bad, bad),))
    yield Trick("single label", f"single{number}", plain)
    yield Trick("ends in .local", f"kds{number}.local", plain)
    yield Trick("below localhost", f"kds{number}.localhost", plain)
    yield Trick("numbers and a word", f"10.0.0.5.{zone}", plain)
    yield Trick("long label", f"{'l' * 63}.{zone}", plain)
    yield Trick("IDNA", f"xn--caf-dma.{zone}", plain)
    yield Trick("looks like IPv6", f"fd00--5.ipv6-literal.{zone}", plain)
    yield Trick("an alias", f"alias.{zone}", plain)
    yield Trick("good, then bad", f"good-bad.{zone}", ((GOOD, bad),))
    yield Trick("bad, then good", f"bad-good.{zone}", ((bad, GOOD),))
    yield Trick("one of each family", f"families.{zone}", ((bad, mixed),))
    yield Trick("the last of sixteen", f"sixteen.{zone}", ((*MANY_GOOD[:15], bad),))
    yield Trick("flips after registration", f"flips.{zone}", (good, (bad,)), "dial")
    yield Trick("gains a bad one", f"gains.{zone}", (good, (GOOD, bad)), "dial")
    yield Trick("flips to an alias", f"alias-later.{zone}", (good, (bad,)), "dial")


def aliases(host: str) -> bool:
    """Tell whether the DNS answers for ``host`` with an alias (CNAME) and the addresses of that."""
    return host.startswith("alias")
