"""The table: spellings x addresses x names, each with what must come of it when it registers and when it is dialled.

It is an oracle of its own: nothing in it comes from the product's policy.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from tests.callees import names, spellings
from tests.callees.addresses import CLIENT, GOOD, OWN, PLACES, Place, embeddings

PORT = 8080
API_PORT = 8000
"""Where listeners of the table are, and where the gateway itself serves."""

# Design section 5 and faults (c): 32 ports of others.
OTHERS = (
    *(1, 7, 9, 19, 21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 445, 465, 514, 515, 587, 631, 993, 995, 2049, 2375),
    *(3306, 3389, 5432, 5900, 6379, 9100, 11211, 27017),
)


class Fate(Enum):
    """What comes of a callback: the status and returnCode of the reply to a registration by version 2."""

    CALLED = (200, 1005)
    INVALID = (400, -29)
    FORBIDDEN = (403, -29)
    UNKNOWN = (404, -30)


class Case(NamedTuple):
    """One row. ``answers`` is what the DNS says of the host at each look-up; ``rule`` stands in a refusal's message.

    ``dialled`` are the addresses of which one is called where any is; ``later`` is the fate at a dial after a restart.
    """

    name: str
    url: str
    fate: Fate
    later: Fate
    rule: str = ""
    dialled: tuple[str, ...] = ()
    answers: tuple[names.Answer, ...] = ()

    @property
    def host(self) -> str:
        """The name that is looked up, in rows that have one."""
        return self.url.partition("://")[2].partition(":")[0].lower().removesuffix(".")


def rows() -> list[Case]:
    """Return the whole table."""
    return [*_literals(), *_ports(), *_named(), *_nameless()]


def rows_of_source() -> list[Case]:
    """Return what `CLIENT` registers where a device may register its own address alone, written as an address."""
    return [*_own(), *_of_others(), *_own_names()]


def _fate_of(place: Place) -> Fate:
    return Fate.CALLED if place.called else Fate.FORBIDDEN


def _literals() -> Iterator[Case]:
    for place in PLACES:
        of = spellings.of_ipv6 if ":" in place.text else spellings.of_ipv4
        for name, url, reading in of(place.text, PORT):
            label = f"{place.text}: {name}"
            if reading == spellings.INVALID:
                yield Case(label, url, Fate.INVALID, Fate.INVALID, "Invalid callback URL")
            elif reading == spellings.ANOTHER or place.called:
                dialled = GOOD if reading == spellings.ANOTHER else place.dialled
                yield Case(label, url, Fate.CALLED, Fate.CALLED, "", (dialled,))
            else:
                yield Case(label, url, Fate.FORBIDDEN, Fate.FORBIDDEN, place.rule)


def _ports() -> Iterator[Case]:
    for name, url, reading in spellings.of_ports():
        if reading == spellings.INVALID:
            yield Case(name, url, Fate.INVALID, Fate.INVALID, "Invalid callback URL")
        else:
            yield Case(name, url, Fate.CALLED, Fate.CALLED, "", (GOOD,))
    for port in OTHERS:
        for host in (GOOD, f"[::ffff:{GOOD}]", "[fd00::5]"):
            url = f"http://{host}:{port}/x"
            yield Case(f"{host}, port {port}", url, Fate.FORBIDDEN, Fate.FORBIDDEN, f"port {port} belongs to another")
    for host in (OWN, f"[::ffff:{OWN}]", "127.0.0.1"):
        url = f"http://{host}:{API_PORT}/x"
        yield Case(f"{host}, own port", url, Fate.FORBIDDEN, Fate.FORBIDDEN, "this gateway itself")
    yield Case("own address, another port", f"http://{OWN}:{PORT}/x", Fate.CALLED, Fate.CALLED, "", (OWN,))


def _named() -> Iterator[Case]:
    for number, place in enumerate(PLACES):
        for trick in names.of(place, number):
            label, url = f"{place.text}: name that {trick.name}", f"http://{trick.host}:{PORT}/x"
            first, fate = trick.answers[0], _fate_of(place)
            if place.called or trick.seen_at == "dial":
                yield Case(label, url, Fate.CALLED, fate, place.rule, first, trick.answers)
            else:
                yield Case(label, url, fate, fate, place.rule, (), trick.answers)
    for number, place in enumerate(PLACES):  # too many to judge, so nobody is called
        url, answer = f"http://many.n{number}.test:{PORT}/x", (*names.MANY_GOOD[:16], place.text)
        label, fate = f"{place.text}: the last of seventeen", Fate.UNKNOWN
        yield Case(label, url, fate, fate, "not responding", (), (answer,))


def _nameless() -> Iterator[Case]:
    for host in ("localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "ip6-loopback"):
        answer = ("::1",) if "6" in host else ("127.0.0.1",)
        url, rule = f"http://{host}:{PORT}/x", "a loopback address"
        yield Case(host, url, Fate.FORBIDDEN, Fate.FORBIDDEN, rule, (), (answer,))
    for number in range(4):
        url = f"http://empty{number}.test:{PORT}/x"
        yield Case(f"empty {number}", url, Fate.UNKNOWN, Fate.UNKNOWN, "not responding", (), ((),))
        url = f"http://nowhere{number}.invalid:{PORT}/x"
        yield Case(f"no such name {number}", url, Fate.UNKNOWN, Fate.UNKNOWN, "not responding")


_OF_ANOTHER = f"is not the address that this request came from ({CLIENT})"


def _own() -> Iterator[Case]:
    for name, url, reading in spellings.of_ipv4(CLIENT, PORT):
        if reading == spellings.INVALID:
            yield Case(f"own: {name}", url, Fate.INVALID, Fate.INVALID, "Invalid callback URL")
        elif reading == spellings.ANOTHER:
            yield Case(f"own: {name}", url, Fate.FORBIDDEN, Fate.CALLED, _OF_ANOTHER, (GOOD,))
        else:
            yield Case(f"own: {name}", url, Fate.CALLED, Fate.CALLED, "", (CLIENT,))
    for port in OTHERS:
        url, rule = f"http://{CLIENT}:{port}/x", f"port {port} belongs to another"
        yield Case(f"own, port {port}", url, Fate.FORBIDDEN, Fate.FORBIDDEN, rule)


def _of_others() -> Iterator[Case]:
    """Yield other devices, one by one; at a dial nobody knows any more who registered them."""
    near = [Place(text, "", text) for text in ("10.99.0.8", "10.99.0.10", "10.99.0.90", "10.99.9.0", "10.9.0.99")]
    near += [Place(text, rule, text) for rule, texts in embeddings(CLIENT).items() for text in texts]
    for place in near + PLACES:
        hosts = [f"[{place.text}]"] if ":" in place.text else [place.text, f"[::ffff:{place.text}]"]
        for host in hosts:
            label, url = f"of another: {host}", f"http://{host}:{PORT}/x"
            yield Case(label, url, Fate.FORBIDDEN, _fate_of(place), _OF_ANOTHER, (place.dialled,))


def _own_names() -> Iterator[Case]:
    """Yield names: even one that leads to the device that registers it may lead elsewhere at the next dial."""
    answers = {"own": (CLIENT,), "alias-own": (CLIENT,), "own-and-another": (CLIENT, GOOD), "another": (GOOD,)}
    for name, answer in answers.items():
        url = f"http://{name}.source.test:{PORT}/x"
        yield Case(f"name: {name}", url, Fate.FORBIDDEN, Fate.CALLED, f"a name {_OF_ANOTHER}", answer, (answer,))
