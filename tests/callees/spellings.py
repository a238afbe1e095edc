"""Ways to write a host or a port, and how each must be read: as the address that it spells, as another, or not at all.

Where parsers disagree about a spelling (faults, finding 7), the one right reading is that it is no URL that we call.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from tests.callees.addresses import GOOD

_DIGITS = {
    "full-width": "\uff10",
    "Arabic-Indic": "\u0660",
    "Devanagari": "\u0966",
    "mathematical": "\U0001d7d8",
}
_DOTS = {"full-width": "\uff0e", "ideographic": "\u3002", "half-width": "\uff61", "one-dot leader": "\u2024"}
_HIDDEN = {
    "tab": "\t",
    "carriage return": "\r",
    "line feed": "\n",
    "NUL": "\0",
    "blank": " ",
    "DEL": "\x7f",
    "soft hyphen": "\xad",
    "zero-width space": "\u200b",
    "bidi": "\u202e",
    "no-break": "\xa0",
    "BOM": "\ufeff",
}

READ = "read"
"""As the address that it spells."""
ANOTHER = "another"
"""As `GOOD`, which stands where a host stands; the address in the spelling is only text."""
INVALID = "invalid"
"""Not at all."""

Spelling = tuple[str, str, str]
"""What it is called, the whole of the URL, and how it must be read."""


def of_ipv4(text: str, port: int) -> Iterator[Spelling]:
    """Yield URLs that spell an IPv4 address for some software."""
    at = f"{port}/x"
    for name, host in _numbers(text):
        if host != text:  # an address of three digits a part has no leading zeros
            yield name, f"http://{host}:{at}", INVALID
    for name, host in _foreign(text):
        yield name, f"http://{host}:{at}", INVALID
    for name, url in _around(text, at):
        yield name, url, INVALID
    yield from _well_written(text, at)


def _well_written(text: str, at: str) -> Iterator[Spelling]:
    mapped = IPv6Address(f"::ffff:{text}")
    yield "as it is", f"http://{text}:{at}", READ
    yield "scheme in capitals", f"HTTP://{text}:{at}", READ
    yield "mapped, dotted", f"http://[::ffff:{text}]:{at}", READ
    yield "mapped, dotted, in capitals", f"http://[::FFFF:{text}]:{at}", READ
    yield "mapped, short", f"http://[{mapped.compressed}]:{at}", READ
    yield "mapped, long", f"http://[{mapped.exploded.upper()}]:{at}", READ
    yield "mapped, zeros and dots", f"http://[0:0:0:0:0:ffff:{text}]:{at}", READ
    yield "before a query", f"http://{text}:{at}?@{GOOD}", READ
    yield "before a path with @", f"http://{text}:{at}@{GOOD}/", READ
    yield "before dot segments", f"http://{text}:{at}/../../%2e%2e//{GOOD}", READ
    yield "in the query of another", f"http://{GOOD}:{at}?@{text}/", ANOTHER
    yield "in the path of another", f"http://{GOOD}:{at}//{text}/%40{text}", ANOTHER
    yield "encoded in the path of another", f"http://{GOOD}:{at}%0d%0aHost:%20{text}", ANOTHER


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """Yield what ``inet_aton`` takes for the address, or nearly."""
    a, b, c, d = IPv4Address(text).packed
    whole = int(IPv4Address(text))
    yield "octal parts", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield "octal first part", f"0{a:o}.{b}.{c}.{d}"
    yield "octal last part", f"{a}.{b}.{c}.0{d:o}"
    yield "octal, padded", f"{a:010o}.{b:010o}.{c:010o}.{d:010o}"
    yield "octal whole", f"0{whole:o}"
    yield "hexadecimal parts", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"
    yield "hexadecimal first part", f"0x{a:x}.{b}.{c}.{d}"
    yield "hexadecimal last part", f"{a}.{b}.{c}.0x{d:x}"
    yield "hexadecimal, padded", f"0x{a:08x}.0x{b:08x}.0x{c:08x}.0x{d:08x}"
    yield "hexadecimal whole", f"0x{whole:08x}"
    yield "hexadecimal whole, in capitals", f"0X{whole:08X}"
    yield "decimal whole", f"{whole}"
    yield "decimal whole, a dot", f"{whole}."
    yield "decimal whole, past the end", f"{whole + 2**32}"
    yield "three parts", f"{a}.{b}.{c << 8 | d}"
    yield "two parts", f"{a}.{b << 16 | c << 8 | d}"
    yield "two parts, hexadecimal", f"{a}.0x{b << 16 | c << 8 | d:x}"
    yield "mixed", f"0x{a:x}.0{b:o}.{c << 8 | d}"
    yield "leading zeros", f"{a:03}.{b:03}.{c:03}.{d:03}"
    yield "last part past the end", f"{a}.{b}.{c}.{d + 256}"
    yield "five parts", f"{text}.0"
    yield "a dot after", f"{text}."
    yield "two dots after", f"{text}.."
    yield "a dot before", f".{text}"
    yield "two dots within", text.replace(".", "..", 1)
    yield "a sign", f"+{text}"
    yield "a minus", f"{a}.{b}.{c}.-{d}"


def _foreign(text: str) -> Iterator[tuple[str, str]]:
    """Yield what IDNA, or a careless decoder, turns into the address."""
    for name, zero in _DIGITS.items():
        yield f"{name} digits", "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)
    yield "circled digits", "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] if c.isdigit() else c for c in text)
    yield "superscript digits", "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] if c.isdigit() else c for c in text)
    for name, dot in _DOTS.items():
        yield f"{name} dots", text.replace(".", dot)
    for name, hidden in _HIDDEN.items():
        yield f"{name} within", text.replace(".", f".{hidden}", 1)
        yield f"{name} after", f"{text}{hidden}"
    yield "percent-encoded", "".join(f"%{ord(c):02x}" for c in text)
    yield "percent-encoded dots", text.replace(".", "%2e")
    yield "percent-encoded twice", text.replace(".", "%252e")
    yield "percent-encoded full-width", text.replace(".", "%ef%bc%8e")
    yield "percent-encoded NUL after", f"{text}%00"


def _around(text: str, at: str) -> Iterator[tuple[str, str]]:
    """Yield URLs in which one parser finds the address for a host, and another finds something else."""
    yield "user", f"http://cook@{text}:{at}"
    yield "user and password", f"http://cook:garlic@{text}:{at}"
    yield "a good host as user", f"http://{GOOD}@{text}:{at}"
    yield "a good host and port as user", f"http://{GOOD}:80@{text}:{at}"
    yield "as user of a good host", f"http://{text}@{GOOD}:{at}"
    yield "empty user", f"http://@{text}:{at}"
    yield "encoded @", f"http://{GOOD}%40{text}:{at}"
    yield "backslash and @", f"http://{GOOD}\\@{text}:{at}"
    yield "backslash and @, the other way", f"http://{text}\\@{GOOD}:{at}"
    yield "backslashes for slashes", f"http:\\\\{text}:{at}"
    yield "backslash for the first slash", f"http://{text}\\x"
    yield "fragment and @", f"http://{GOOD}#@{text}:{at}"
    yield "fragment after", f"http://{text}:{at}#{GOOD}"
    yield "brackets", f"http://[{text}]:{at}"
    yield "mapped, with a zone", f"http://[::ffff:{text}%lo]:{at}"
    yield "mapped, with an encoded zone", f"http://[::ffff:{text}%25lo]:{at}"
    yield "mapped, without brackets", f"http://::ffff:{text}:{at}"
    yield "comma", f"http://{GOOD},{text}:{at}"
    yield "semicolon", f"http://{GOOD};{text}:{at}"
    yield "two ports", f"http://{GOOD}:80:{text}:{at}"
    yield "a second URL after", f"http://{GOOD}:{at} http://{text}:{at}"
    yield "header after", f"http://{GOOD}:{at}\r\nHost: {text}"
    yield "blank before", f" http://{text}:{at}"
    yield "line feed after", f"http://{text}:{at}\n"
    yield "no scheme", f"//{text}:{at}"
    yield "one slash", f"http:/{text}:{at}"
    yield "three slashes", f"http:///{text}:{at}"
    yield "no slashes", f"http:{text}:{at}"
    yield "another scheme", f"ftp://{text}:{at}"
    yield "gopher", f"gopher://{text}:{at}_x"
    yield "scheme with a tab", f"ht\ttp://{text}:{at}"
    yield "braces", f"http://{{{text}}}:{at}"


def of_ipv6(text: str, port: int) -> Iterator[Spelling]:
    """Yield URLs that spell an IPv6 address for some software."""
    address, at = IPv6Address(text), f"{port}/x"
    groups = address.exploded.split(":")
    tail = IPv4Address(int(address) & 0xFFFF_FFFF)
    yield "as it is", f"http://[{address.compressed}]:{at}", READ
    yield "long", f"http://[{address.exploded}]:{at}", READ
    yield "in capitals", f"http://[{address.exploded.upper()}]:{at}", READ
    yield "zeros left out", f"http://[{':'.join(f'{int(group, 16):x}' for group in groups)}]:{at}", READ
    yield "dotted tail", f"http://[{':'.join(groups[:6])}:{tail}]:{at}", READ
    for name, host in (
        ("no brackets", address.compressed),
        ("zone", f"[{address.compressed}%lo]"),
        ("numbered zone", f"[{address.compressed}%1]"),
        ("encoded zone", f"[{address.compressed}%25lo]"),
        ("empty zone", f"[{address.compressed}%]"),
        ("bracket left open", f"[{address.compressed}"),
        ("brackets twice", f"[[{address.compressed}]]"),
        ("a dot after", f"[{address.compressed}]."),
        ("text after", f"[{address.compressed}]{GOOD}"),
        ("prefix length", f"[{address.compressed}/128]"),
        ("five digits", f"[0{address.exploded}]"),
        ("nine groups", f"[{address.exploded}:0]"),
        ("octal tail", f"[{':'.join(groups[:6])}:0{tail}]"),
        ("future version", f"[v6.{address.compressed}]"),
        ("encoded colons", f"[{address.compressed.replace(':', '%3a')}]"),
        ("full-width colons", f"[{address.compressed.replace(':', chr(0xFF1A))}]"),
        ("user", f"cook@[{address.compressed}]"),
        ("user in brackets", f"[cook@{address.compressed}]"),
    ):
        yield name, f"http://{host}:{at}", INVALID


def of_ports() -> Iterator[Spelling]:
    """Yield URLs whose port is read in more than one way."""
    for text in (
        *("0", "00", "65536", "65616", "99999", "4294967376", "9" * 40, "+80", "-1", "-80", "080", "0x50", "8_0", ""),
        *(
            " 80",
            "80 ",
            "80\t",
            "8\n0",
            "8\x000",
            "\uff18\uff10",
            "①",
            "٨٠",
            "80:80",
            "%38%30",
            "8.0",
            "8e1",
            "http",
            "*",
            "80,81",
        ),
    ):
        yield f"port {text!r}", f"http://{GOOD}:{text}/x", INVALID
        yield f"port {text!r} after IPv6", f"http://[::ffff:{GOOD}]:{text}/x", INVALID
    yield "port of the scheme", f"http://{GOOD}/x", READ
    yield "port 80", f"http://{GOOD}:80/x", READ
