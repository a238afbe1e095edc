"""A script: what one client sends on one connection, as a value that can be kept in a file and made smaller."""

import base64
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import msgspec

SECRET = "5ec2e7" * 8
BASIC = base64.b64encode(f"{SECRET}:".encode()).decode()
UUID = "00000000-0000-4000-8000-0000deadbeef"
LISTENER = "feedfacefeed"
EPOCH = "e90c4e90c4e9"
"""What stands for things of the gateway that runs, each as long as what is put in its place: so a script can be
replayed on another gateway, and its cuts stay where they are."""


class Asked(NamedTuple):
    """What a request asks for: method and path template. ``too_deep``: its body is sound, but for how deep it nests."""

    method: str
    path: str
    too_deep: bool = False


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What one client sends.

    ``data`` is cut at the places in ``cuts``; ``leaves``: the client goes at once when it has sent all, else it waits
    for the server to close. ``requests`` is how many the grammar put in. ``asked`` holds what is asked for where it is
    one request that nothing was done to, ``heads`` whether a HEAD may be in it.
    """

    data: bytes
    cuts: tuple[int, ...] = ()
    leaves: bool = False
    requests: int = 1
    asked: Asked | None = None
    known: bool = False
    peer: int = 0

    def pieces(self, filled: Mapping[str, str]) -> list[bytes]:
        """Return what is sent, piece by piece; ``filled`` are the things of this gateway, by what stands for them."""
        data = self.data
        for name, value in filled.items():
            if len(name) != len(value):
                raise ValueError(f"{value!r} is not as long as {name!r}")
            data = data.replace(name.encode(), value.encode())
        places = sorted({0, len(data), *(cut for cut in self.cuts if 0 < cut < len(data))})
        return [data[begin:end] for begin, end in pairwise(places)]

    @property
    def heads(self) -> bool:
        """Whether a reply may lack its body because the request was a HEAD."""
        return b"HEAD" in self.data


def filling(secret: str, uuid: str, listener: str, epoch: str) -> dict[str, str]:
    """Return what `Script.pieces` puts in."""
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    return {SECRET: secret, BASIC: basic, UUID: uuid, LISTENER: listener, EPOCH: epoch}
