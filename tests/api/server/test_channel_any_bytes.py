from hypothesis import given, settings
from hypothesis import strategies as st
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.web.resource import IResource

from tests.api.server.house import GET, POST, Echo, House, nothing_logged
from ttgateway.api.server.request import ApiRequest


def klein_resource() -> IResource:
    app = Klein()

    @app.route("/api/v2/hello", methods=["GET", "POST", "DELETE"])
    def hello(request: ApiRequest) -> bytes:
        return b"{}"

    @app.route("/api/v2/late")
    def late(request: ApiRequest) -> Deferred[bytes]:
        return Deferred()

    resource: IResource = app.resource()
    return resource


PIECES = st.sampled_from(
    [
        *[
            GET,
            POST,
            b"GET ",
            b"POST ",
            b"HEAD ",
            b"OPTIONS ",
            b"* ",
            b"/api/v2/late ",
            b"/api/v2/hello?a=%ff&b ",
            b"/",
        ],
        *[
            b"//%00%ff/../",
            b" HTTP/1.1\r\n",
            b" HTTP/1.0\r\n",
            b"Host: gateway\r\n",
            b"Host: a..b\r\n",
            b"Host: [::\r\n",
        ],
        *[b"Content-Length: 5\r\n", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"\n"],
        *[
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n",
            b"hello",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
        ],
        *[
            b"Content-Type: multipart/form-data; boundary=x\r\n",
            b"Cookie: a=b; c\r\n",
            b"Origin: http://x\r\n",
            b" fold\r\n",
        ],
        *[b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"X: \x00\r\n", b"\x16\x03\x01\x02\x00", b"A" * 17000],
    ]
)
CHUNKS = st.lists(st.lists(PIECES | st.binary(max_size=20), max_size=8).map(b"".join), max_size=6)


def mutated(data: bytes, at: int, byte: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([byte]) + data[at + 1 :]


MUTANTS = st.lists(
    st.builds(
        mutated,
        st.sampled_from(
            [GET, POST + b"Content-Length: 2\r\n\r\n{}", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
        ),
        st.integers(0, 1000),
        st.integers(0, 255),
    ),
    max_size=6,
)


def check_any_bytes(resource: IResource, chunks: list[bytes], half: bool) -> None:
    house = House(resource)
    wire = house.wire()
    if half:
        wire.half_closes()
    for chunk in chunks:
        if not wire.transport.disconnecting:
            wire.send(chunk)
        house.clock.advance(0.5)
    house.pass_time(100)
    assert all(status < 500 for status in wire.statuses())
    assert b"HTTP/1.0 5" not in wire.said()
    assert wire.transport.disconnecting
    assert house.clock.getDelayedCalls() == []
    wire.end()
    assert len(house.site.connections) == 0


@given(chunks=CHUNKS | MUTANTS)
@settings(max_examples=300, deadline=None)
def test_no_bytes_give_a_traceback_or_a_5xx_or_leave_a_timer(chunks: list[bytes]) -> None:
    with nothing_logged():
        check_any_bytes(Echo(), chunks, half=True)


@given(chunks=CHUNKS | MUTANTS)
@settings(max_examples=300, deadline=None)
def test_no_bytes_do_so_through_klein(chunks: list[bytes]) -> None:
    with nothing_logged():
        check_any_bytes(klein_resource(), chunks, half=False)
