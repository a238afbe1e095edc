"""What an attempt came to, and what that means for the queue (design section 4)."""

from enum import StrEnum

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """A listener's answer: the status, and the value of ``Retry-After`` if it sent one."""

    status: int
    retry_after: bytes | None = None


class Verdict(StrEnum):
    """What the queue does next."""

    DELIVERED = "delivered"
    """The listener has it."""
    DOWN = "down"
    """The listener is not working: wait and try again, for ever."""
    REFUSED = "refused"
    """The listener works but does not take this change: a few more tries, then it is parked."""
    GONE = "gone"
    """The listener wants nothing more, ever."""


class Outcome(msgspec.Struct, frozen=True):
    """What an attempt came to. ``cause`` is one word or the status; ``status`` is 0 where no answer came."""

    verdict: Verdict
    cause: str
    status: int = 0
    retry_after: bytes | None = None


REFUSED = "refused"
TIMEOUT = "timeout"
DNS = "dns"
TLS = "tls"
PROTOCOL = "protocol"
FORBIDDEN = "forbidden"
"""The causes of `failed`: no connection, a deadline, a look-up, a handshake, no proper HTTP, our own policy."""

_DOWN = frozenset({408, 425, 429})

_DELIVERED = {status: Outcome(Verdict.DELIVERED, str(status), status) for status in range(200, 300)}


def failed(cause: str) -> Outcome:
    """Return the outcome of an attempt that got no answer, for one of the causes above."""
    return Outcome(Verdict.DOWN, cause)


def judged(reply: Reply) -> Outcome:
    """Return the outcome of an attempt that was answered: the status line alone decides."""
    status = reply.status
    if (delivered := _DELIVERED.get(status)) is not None:
        return delivered
    if status == 410:
        verdict = Verdict.GONE
    elif status == 500 or (300 <= status < 500 and status not in _DOWN):
        verdict = Verdict.REFUSED
    elif 400 <= status < 600:
        verdict = Verdict.DOWN
    else:
        return Outcome(Verdict.DOWN, PROTOCOL, status)
    return Outcome(verdict, str(status), status, reply.retry_after)


def works(outcome: Outcome) -> bool:
    """Tell whether the answer to a HEAD shows a listener that works; 501 only says that it knows no HEAD."""
    return 100 <= outcome.status < 500 or outcome.status == 501
