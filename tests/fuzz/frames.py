"""What a client sends on a WebSocket: first messages, frames right and wrong (RFC 6455, section 5)."""

import json
from random import Random

from tests.fuzz.bodies import NASTY, spoilt_text, written
from tests.fuzz.scripts import SECRET

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

_CODES = (1000, 1001, 1005, 1006, 1015, 999, 0, 2999, 3000, 4999, 5000, 65_535)


def frame(opcode: int, payload: bytes, random: Random, *, first: int | None = None, mask: bool = True) -> bytes:
    """Return a client's frame; ``first`` is its first byte where that is to be an odd one."""
    size = len(payload)
    if size < 126:
        told = bytes([size | 0x80])
    elif size < 0x10000:
        told = b"\xfe" + size.to_bytes(2, "big")
    else:
        told = b"\xff" + size.to_bytes(8, "big")
    if not mask:
        return bytes([opcode | 0x80, told[0] & 0x7F]) + told[1:] + payload
    key = random.randbytes(4)
    pad = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    masked = (int.from_bytes(payload, "big") ^ pad).to_bytes(size, "big")
    return bytes([opcode | 0x80 if first is None else first]) + told + key + masked


def talk(random: Random) -> bytes:
    """Return what a client says after its handshake."""
    first = random.choice([json.dumps({"accesstoken": SECRET}).encode(), b'{"accesstoken":"x"}', b"", b"{}", b"\xff"])
    said = [frame(TEXT, first, random)] if random.random() < 0.8 else []
    said += [_odd(random) if random.random() < 0.5 else _even(random) for _ in range(random.randrange(6))]
    return b"".join(said)


def _even(random: Random) -> bytes:
    """Return a frame that is right in itself."""
    value = written({"accesstoken": random.choice([SECRET, *NASTY])}, random)
    text = spoilt_text(value, random) if random.random() < 0.3 else value
    return random.choice(
        [
            frame(PING, random.randbytes(random.choice([0, 4, 125])), random),
            frame(PONG, b"", random),
            frame(TEXT, text[:70_000], random),
            frame(BINARY, text[:70_000], random),
            frame(TEXT, text[:5], random, first=TEXT) + frame(PING, b"", random) + frame(0, text[5:99], random),
            frame(CLOSE, random.choice(_CODES).to_bytes(2, "big") + b"bye", random),
        ]
    )


def _odd(random: Random) -> bytes:
    """Return a frame that is wrong in itself."""
    return random.choice(
        [
            frame(TEXT, b"\xff\xfe", random),
            frame(TEXT, b"x", random, mask=False),
            frame(0, b"a continuation of nothing", random),
            frame(TEXT, b"x", random, first=random.randrange(256)),
            frame(PING, b"x" * 126, random),
            frame(PING, b"x", random, first=PING),
            frame(CLOSE, random.choice([b"", b"\x03", b"\x03\xe8\xff"]), random),
            b"\x81\xff" + (2**63 - 1).to_bytes(8, "big") + b"abcd",
            b"\x81\xff" + b"\xff" * 8 + b"abcd",
            b"\x81\xfe\x00\x01abcdx",
            frame(TEXT, b"x" * 2_000, random)[: random.randrange(2_000)],
            frame(TEXT, b"a", random, first=TEXT) * random.choice([2, 700]),
            random.randbytes(random.choice([1, 40, 3_000])),
        ]
    )
