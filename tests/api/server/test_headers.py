from contextlib import suppress
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from ttgateway.api.server.headers import HeadRefused, checked_path

OURS = {"gateway", "10.0.0.1", "fd00::1"}
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                b"gateway",
                b"GATEWAY",
                b"10.0.0.1",
                b"[fd00::1]",
                b"fd00::1",
                b"evil.example",
                b".",
                b":",
                b"8000",
                b"@",
                b"/",
            ),
            *(
                b"http://",
                b"https://",
                b"null",
                b" ",
                b"\t",
                b",",
                b"\xff",
                b"\xc4\xb0",
                b"%67ateway",
                b"chunked",
                b"gzip",
            ),
        ]
    ),
    max_size=4,
).map(b"".join)
TARGETS = st.just(b"/") | PIECES.map(b"/".__add__) | PIECES.map(b"http://".__add__) | st.binary()
NAMES = st.sampled_from([b"host", b"origin", b"transfer-encoding", b"sec-fetch-site"])
VALUES = st.lists(st.tuples(NAMES, PIECES | st.binary(max_size=10)), max_size=5)


def headers_of(pairs: list[tuple[bytes, bytes]]) -> Headers:
    headers = Headers()
    for name, value in pairs:
        headers.addRawHeader(name, value)
    return headers


@given(st.sampled_from([b"HTTP/1.0", b"HTTP/1.1"]), TARGETS, VALUES)
def test_no_head_raises_anything_else_and_none_with_another_host_or_origin_passes(
    version: bytes, target: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    headers = headers_of(pairs)
    with suppress(HeadRefused):
        path = checked_path(version, target, headers, OURS.__contains__, frozenset())
        hosts = headers.getRawHeaders(b"host", [])
        assert path.startswith(b"/")
        assert target.endswith(path.removeprefix(b"/"))
        assert target == path or urlsplit(target.decode("ascii").lower()).hostname in OURS
        assert len(hosts) <= 1
        assert hosts or version == b"HTTP/1.0"
        for host in hosts:
            name = host.decode("ascii").lower()
            bare = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].rstrip(".")
            assert bare in OURS
        for origin in headers.getRawHeaders(b"origin", []):
            assert origin.lower().partition(b"://")[2] == hosts[0].lower()
        assert headers.getRawHeaders(b"transfer-encoding", []) in ([], [b"chunked"])
