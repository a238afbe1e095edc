"""Requests with something wrong in them: their head, the framing of their body, single bytes."""

from random import Random

HEADERS: tuple[bytes, ...] = (
    *(b"Host: gateway", b"Host: evil.example", b"Host:", b"Host: gateway:99999", b"Host: [::1]", b"Host: gateway\xff"),
    *(
        b"Content-Length: 0",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
    ),
    *(b"Content-Length: " + b"9" * 5000, b"Content-Length: 65537", b"Content-Length: 0x5", b"Content-Length: 5 5"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity"),
    *(b"Transfer-Encoding : chunked", b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: chunked, chunked"),
    *(b"Expect: 100-continue", b"Expect: x", b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade"),
    *(b"Upgrade: h2c", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13"),
    *(b"Authorization: Bearer", b"Authorization: Bearer x", b"Authorization: Basic !", b"Authorization: Basic Og=="),
    *(b"Authorization: Basic eA==", b"Authorization: Digest x", b"Authorization: Bearer \xff", b"Authorization:"),
    *(b"Origin: http://evil.example", b"Origin: null", b"Origin: http://gateway", b"Sec-Fetch-Site: cross-site"),
    *(b"Content-Type: multipart/form-data; boundary=x", b"Content-Type: application/x-www-form-urlencoded"),
    *(b"Content-Type: text/plain; charset=\xff", b"Content-Encoding: gzip", b"Content-Type: ", b"Range: bytes=0-1"),
    *(b"If-Modified-Since: Sun, 06 Nov 0000 08:49:37 GMT", b"If-None-Match: *", b"Cookie: a=b; c", b"Cookie: =;=\xff"),
    *(
        b" folded",
        b"\tfolded",
        b"no colon",
        b": no name",
        b"X Y: z",
        b"X\0: y",
        b"X: \0",
        b"X: a\rb",
        b"",
        b"X: " + b"a" * 17_000,
    ),
    *(
        b"X-Forwarded-For: 10.0.0.1",
        b"X-HTTP-Method-Override: DELETE",
        b"TE: trailers",
        b"Trailer: Host",
        b"Accept: \xff",
    ),
)

METHODS = (
    b"GET",
    b"POST",
    b"DELETE",
    b"HEAD",
    b"PUT",
    b"PATCH",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"G\0T",
    b"PRI",
    b"",
)

VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/1.10",
    b"HTTP/1.",
    b"http/1.1",
    b"HTTP/1.1 x",
    b"",
)

TARGETS: tuple[bytes, ...] = (
    *(b"/", b"//", b"", b"*", b"?", b"/?", b"/api", b"/api/v2/", b"/api/v2//activeorders", b"/api/v2/activeorders/"),
    *(b"/api/v2/activeorders/..", b"/api/v2/activeorders/%2e%2e/x", b"/api/v2/activeorders/%00", b"/api/v2/%", b"/%ff"),
    *(
        b"/api/v2/activeorders/66%2Fpage",
        b"/api/v2/activeorders/%D9%A3",
        b"/api/v2/activeorders/%ED%A0%80/page",
        b"/\xff",
    ),
    *(b"http://gateway/api/v2", b"http://evil/api/v2", b"/api/v2#x", b"/api/v2;x=y", b"/api/v3", b"/api/v2/activate"),
    *(
        b"/api/v2/gateway/activate",
        b"/api/v2/websocket",
        b"/api/openapi.json",
        b"/docs",
        b"/" + b"a" * 17_000,
        b"/\x00",
    ),
    *(b"/api/v1/register?http_client=http://10.0.1.18:8989/a&b=c", b"/api/v1/register?http_client=", b"/favicon.ico"),
)


def spoilt_query(target: bytes, random: Random) -> bytes:
    """Return the target with a query that is encoded oddly, doubled, or of names and values that nobody wants."""
    path, mark, query = target.partition(b"?")
    turn = random.randrange(6)
    if turn == 0:
        odd = random.choice(
            [b"%", b"%zz", b"%00", b"%ff", b"+", b"%2", b"&&&", b"=", b"==", b"\x7f", b"%ED%A0%80", b"%20"]
        )
        return path + b"?" + query + odd
    if turn == 1:
        return path + b"?" + b"&".join([query] * random.choice([2, 3, 500]))
    if turn == 2:
        return (
            path + b"?" + bytes(query).replace(b"=", random.choice([b"=-", b"=1e", b"%3D", b"=" + b"9" * 30, b"[]="]))
        )
    if turn == 3:
        names = [
            b"since",
            b"limit",
            b"offset",
            b"wait",
            b"target_time",
            b"timeout",
            b"refresh",
            b"created_after",
            b"epoch",
        ]
        values = [b"", b"0", b"-0", b"%D9%A3", b"1_0", b"9" * 400, b"1e400", b"nan", b"inf", b"0x10", b"1;2", b"true"]
        return path + b"?" + random.choice(names) + b"=" + random.choice(values)
    if turn == 4:
        return (
            b"".join(b"%%%02x" % byte if byte != 47 and random.random() < 0.3 else bytes([byte]) for byte in path)
            + mark
            + query
        )
    return random.choice(TARGETS)


def spoilt_head(line: bytes, headers: list[bytes], random: Random) -> tuple[bytes, list[bytes]]:
    """Return request line and headers with lines of the head put in, repeated, left out, cut or exchanged."""
    headers = list(headers)
    at = random.randrange(len(headers) + 1)
    turn = random.randrange(8)
    if turn < 3:
        headers.insert(at, random.choice(HEADERS))
    elif turn == 3 and headers:
        headers.insert(at, random.choice(headers))
    elif turn == 4 and headers:
        headers.pop(at % len(headers))
    elif turn == 5 and headers:
        spoilt = headers[at % len(headers)]
        headers[at % len(headers)] = spoilt[: random.randrange(len(spoilt) + 1)]
    elif turn == 6:
        headers += [b"X-%d: y" % number for number in range(random.choice([5, 95, 101, 400]))]
    else:
        method, _, rest = line.partition(b" ")
        target, _, version = rest.rpartition(b" ")
        words = [method, target, version]
        which = random.randrange(3)
        words[which] = random.choice((METHODS, TARGETS, VERSIONS)[which])
        line = random.choice([b" ", b" ", b" ", b"\t", b"  "]).join(words)
    return line, headers


def chunked(body: bytes, random: Random, *, right: bool) -> bytes:
    """Return the body in chunks; not ``right``: with something wrong in how they are told."""
    chunks: list[bytes] = []
    rest = body
    while rest:
        size = random.randint(1, min(len(rest), random.choice([1, 7, 40_000])) if len(chunks) < 50 else len(rest))
        chunks.append(b"%x\r\n%s\r\n" % (size, rest[:size]))
        rest = rest[size:]
    text = b"".join(chunks) + b"0\r\n\r\n"
    if right:
        return text
    wrong = (
        *(
            text[:-2],
            text[:-5],
            text.replace(b"\r\n", b"\n"),
            b"-" + text,
            b"0x" + text,
            b"ffffffffffffffffff\r\n" + text,
        ),
        *(
            b"5;" + b"x" * random.choice([3, 2_000, 20_000]) + b"\r\n",
            text.replace(b"0\r\n\r\n", b"0\r\nHost: x\r\n\r\n"),
        ),
        *(b"\r\n" + text, b"g\r\n", b" 5\r\nabcde\r\n0\r\n\r\n", b"1\r\nab\r\n0\r\n\r\n", b"0" * 5_000 + b"\r\n\r\n"),
        *(
            b"5\r\nabc",
            b"0\r\n" + b"X: y\r\n" * 3_000 + b"\r\n",
            b"1\n\na\r\n0\r\n\r\n",
            b"10000\r\n" + b" " * 65_536 + b"\r\n1\r\n \r\n0\r\n\r\n",
        ),
    )
    endless = (b"4000\r\n" + b" " * 0x4000 + b"\r\n") * 12
    return endless if random.random() < 0.05 else random.choice(wrong)


def spoilt_bytes(data: bytes, random: Random) -> bytes:
    """Return the bytes with some flipped, put in, left out, doubled or exchanged."""
    raw = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        at = random.randrange(len(raw) + 1)
        turn = random.randrange(6)
        if turn == 0 and raw:
            raw[at % len(raw)] ^= 1 << random.randrange(8)
        elif turn == 1:
            raw[at:at] = bytes([random.choice([0, 9, 10, 13, 32, 37, 47, 58, 127, 128, 255, random.randrange(256)])])
        elif turn == 2:
            del raw[at : at + random.choice([1, 1, 2, 10])]
        elif turn == 3:
            end = at + random.choice([1, 10, 100])
            raw[at:at] = raw[at:end]
        elif turn == 4 and raw:
            raw[at % len(raw)] = random.randrange(256)
        else:
            raw[at:at] = random.choice([b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b" ", b"\t"])
    return bytes(raw)
