import socket

from ttgateway.closing import MOST_IN_KERNEL, keep_little


class Handled:
    """A transport with a socket, as those of TCP are."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def getHandle(self) -> socket.socket:  # noqa: N802  # Twisted's name
        return self._end


def test_the_kernel_holds_little_for_a_peer_and_from_it() -> None:
    with socket.socket() as end:
        keep_little(Handled(end))
        for which in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            assert end.getsockopt(socket.SOL_SOCKET, which) == 2 * MOST_IN_KERNEL  # Linux doubles it: socket(7)
    with socket.socket(socket.AF_UNIX) as end:
        before = end.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        keep_little(Handled(end))
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
    keep_little(object())
