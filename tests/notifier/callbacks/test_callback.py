from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.refusals import CallbackInvalid

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
HOSTS = st.one_of(
    NAMES,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.ip_addresses(v=6).map(lambda address: f"[{address.exploded.upper()}]"),
)
PIECES = st.sampled_from(
    ["/", ".", "..", "%2e", "%2E", "%2f", "%7e", "%41", "%c3%a9", "%25", "a", "B", "~", "?", "&", "="]
)
TARGETS = st.lists(PIECES).map(lambda pieces: "/" + "".join(pieces))
PORTS = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
URLS = st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https", "HTTP", "HttpS"]), HOSTS, PORTS, TARGETS)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("http://10.0.1.18:8989/v1/notify", "http://10.0.1.18:8989/v1/notify"),
        ("HTTP://Kitchen.Local/Notify", "http://kitchen.local/Notify"),
        ("http://kitchen.local.", "http://kitchen.local/"),
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://a:80/", "http://a/"),
        ("https://a:443/", "https://a/"),
        ("http://a:443/", "http://a:443/"),
        ("http://a?x=1", "http://a/?x=1"),
        ("http://a/?", "http://a/?"),
        ("http://a/?u=http://b/../c&l[]=1", "http://a/?u=http://b/../c&l[]=1"),
        ("http://a/b/./c/../d", "http://a/b/d"),
        ("http://a/b/..", "http://a/"),
        ("http://a/b/c/..", "http://a/b/"),
        ("http://a/b/c/.", "http://a/b/c/"),
        ("http://a/../../b", "http://a/b"),
        ("http://a/b/%2e%2E/c", "http://a/c"),
        ("http://a/..//b", "http://a//b"),
        ("http://a/%7euser/%c3%a9/%41%2f", "http://a/~user/%C3%A9/A%2F"),
        ("http://a/%252e%252e/", "http://a/%252e%252e/"),
        ("http://a/?q=%2e%0d%0a", "http://a/?q=.%0D%0A"),
        ("http://[FD00:0:0::1]:8080/x", "http://[fd00::1]:8080/x"),
        ("http://[fd00::1]", "http://[fd00::1]/"),
        ("http://xn--caf-dma.local/", "http://xn--caf-dma.local/"),
        ("https://xn--caf-dma.local/", "https://xn--caf-dma.local/"),
        ("https://[fd00::1]/", "https://[fd00::1]/"),
        ("http://ab--cd.lan/", "http://ab--cd.lan/"),
        ("http://0xyz.local/", "http://0xyz.local/"),
        ("http://a.0xyz/", "http://a.0xyz/"),
        ("http://3com/", "http://3com/"),
        ("http://1.kitchen/", "http://1.kitchen/"),
    ],
)
def test_a_url_is_brought_into_its_canonical_form(text: str, canonical: str) -> None:
    assert str(CallbackURL.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "must be a string"),
        (80, "must be a string"),
        (b"http://a/", "must be a string"),
        ("", "must begin with"),
        ("/notify", "must begin with"),
        ("a/notify", "must begin with"),
        ("http:/a/", "must begin with"),
        ("http:a", "must begin with"),
        ("ftp://a/", "must begin with"),
        ("file:///etc/passwd", "must begin with"),
        ("gopher://a:6379/_x", "must begin with"),
        ("javascript:alert(1)//http://a/", "must begin with"),
        ("xhttp://a/", "must begin with"),
        ("//a/", "must begin with"),
        ("http://\N{FULLWIDTH LATIN SMALL LETTER E}xample/", "must be ASCII"),
        ("http://①②⑦.0.0.1/", "must be ASCII"),
        ("http://127。0。0。1/", "must be ASCII"),
        ("http://a:\N{FULLWIDTH DIGIT EIGHT}0/", "must be ASCII"),
        ("http://café.local/", "must be ASCII"),
        ("http://a/\ud800", "must be ASCII"),
        ("http://a/\u202e", "must be ASCII"),
        ("http://a/ b", "must not contain"),
        (" http://a/", "must not contain"),
        ("http://a/\n", "must not contain"),
        ("http://a\t/", "must not contain"),
        ("http://a/\r\nX-Evil: 1", "must not contain"),
        ("http://a/\x00", "must not contain"),
        ("http://a/\x7f", "must not contain"),
        ("http://evil.test\\@127.0.0.1/", "must not contain"),
        ("http:\\\\a\\", "must not contain"),
        ('http://a/"', "must not contain"),
        ("http://a/'", "must not contain"),
        ("http://a/<x>", "must not contain"),
        ("http://a/{x}", "must not contain"),
        ("http://a/x|y", "must not contain"),
        ("http://a/^", "must not contain"),
        ("http://a/`", "must not contain"),
        ("http://a/#top", "must not have a fragment"),
        ("http://a#@b/", "must not have a fragment"),
        ("http://user@a/", "must not have a user name"),
        ("http://u:p@a/", "must not have a user name"),
        ("http://@a/", "must not have a user name"),
        ("http://a%2eb/", "must not have %"),
        ("http://127.0.0.%31/", "must not have %"),
        ("http://[fe80::1%25eth0]/", "must not have %"),
        ("http://[fe80::1%eth0]/", "must not have %"),
        ("http:///", "must have a host"),
        ("http://", "must have a host"),
        ("http://:80/", "must have a host"),
        ("http://./", "must have a host"),
        ("http://?x", "must have a host"),
        ("http://2130706433/", "four decimal numbers"),
        ("http://0x7f.1/", "four decimal numbers"),
        ("http://0x7f000001/", "four decimal numbers"),
        ("http://127.1/", "four decimal numbers"),
        ("http://0177.0.0.1/", "four decimal numbers"),
        ("http://0/", "four decimal numbers"),
        ("http://0x/", "four decimal numbers"),
        ("http://a.0X/", "four decimal numbers"),
        ("http://00.0.0.0/", "four decimal numbers"),
        ("http://127.0.0.1./", "four decimal numbers"),
        ("http://127.0.0.01/", "four decimal numbers"),
        ("http://1.2.3.256/", "four decimal numbers"),
        ("http://1.2.3.4.5/", "four decimal numbers"),
        ("http://a.1/", "four decimal numbers"),
        ("http://a.1./", "four decimal numbers"),
        ("http://a..b/", "letters, digits, hyphens"),
        ("http://a../", "letters, digits, hyphens"),
        ("http://.a/", "letters, digits, hyphens"),
        ("http://-a/", "letters, digits, hyphens"),
        ("http://a-/", "letters, digits, hyphens"),
        ("http://a_b/", "letters, digits, hyphens"),
        ("http://a,b/", "letters, digits, hyphens"),
        ("http://a[1]/", "letters, digits, hyphens"),
        (f"http://{'a' * 64}/", "letters, digits, hyphens"),
        (f"http://{'a.' * 126}ab/", "letters, digits, hyphens"),
        ("https://ab--cd.lan/", "cannot be verified by TLS"),
        ("https://xn--zzzzzzzz9.lan/", "cannot be verified by TLS"),
        ("http://[::1/", "in brackets"),
        ("http://[::1]x/", "in brackets"),
        ("http://[::1]80/", "in brackets"),
        ("http://[]/", "not an IPv6 address"),
        ("http://[1.2.3.4]/", "not an IPv6 address"),
        ("http://[::1::]/", "not an IPv6 address"),
        ("http://[::ffff:127.0.0.01]/", "not an IPv6 address"),
        ("http://[v1.x]/", "not an IPv6 address"),
        ("http://fd00::1/", "the port must be"),
        ("http://a:/", "the port must be"),
        ("http://[::1]:/", "the port must be"),
        ("http://a:0/", "the port must be"),
        ("http://a:080/", "the port must be"),
        ("http://a:65536/", "the port must be"),
        ("http://a:99999999999999999999/", "the port must be"),
        ("http://a:-1/", "the port must be"),
        ("http://a:+80/", "the port must be"),
        ("http://a:8_0/", "the port must be"),
        ("http://a:80:80/", "the port must be"),
        ("http://a:http/", "the port must be"),
        ("http://a/%", "each % in the path"),
        ("http://a/%4", "each % in the path"),
        ("http://a/%zz", "each % in the path"),
        ("http://a/?q=%", "each % in the path"),
        ("http://a/" + "x" * 2040, "at most 2048"),
    ],
)
def test_what_is_not_a_plain_url_is_refused_with_the_reason(text: object, reason: str) -> None:
    with pytest.raises(CallbackInvalid) as refused:
        CallbackURL.parse(text)
    assert reason in str(refused.value)


def test_a_url_may_have_2048_bytes() -> None:
    text = "http://a/" + "x" * 2039
    assert str(CallbackURL.parse(text)) == text


@pytest.mark.parametrize("text", ["http://a?" + "x" * 2039, "http://[1::2:3:4:5:6:7]/" + "x" * 2024])
def test_the_canonical_form_is_bounded_as_well(text: str) -> None:
    assert len(text) == 2048
    with pytest.raises(CallbackInvalid, match="at most 2048"):
        CallbackURL.parse(text)


@pytest.mark.parametrize("text", ["http://a/" + "x/../" * 500, "http://a/" + "%41" * 700, "http://a?" + "x" * 2039])
def test_what_is_too_long_is_refused_though_a_shorter_spelling_may_exist(text: str) -> None:
    with pytest.raises(CallbackInvalid) as refused:
        CallbackURL.parse(text)
    assert str(refused.value) == "Invalid callback URL: must be at most 2048 bytes."


@pytest.mark.parametrize("port", [1, 9, 65535])
def test_ports_go_from_1_to_65535(port: int) -> None:
    assert CallbackURL.parse(f"http://a:{port}/").port == port


def test_a_name_may_have_253_characters() -> None:
    name = "a." * 126 + "a"
    assert CallbackURL.parse(f"http://{name}./").host == name


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(CallbackInvalid) as refused:
        CallbackURL.parse("http://cook:garlic@a/")
    assert "garlic" not in str(refused.value)


def test_a_url_shows_its_parts() -> None:
    url = CallbackURL.parse("https://[FD00::1]:8443/a?b")
    assert (url.scheme, url.host, url.port, url.target) == ("https", "fd00::1", 8443, "/a?b")


def test_the_port_is_that_of_the_scheme_where_none_is_written() -> None:
    assert CallbackURL.parse("http://a").port == 80
    assert CallbackURL.parse("https://a").port == 443


def test_two_spellings_of_one_listener_are_equal() -> None:
    one = CallbackURL.parse("http://Kitchen.local.:80/a/../%6eotify")
    other = CallbackURL.parse("HTTP://kitchen.LOCAL/notify")
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://192.168.1.20/", IPv4Address("192.168.1.20")),
        ("http://[fd00::1]/", IPv6Address("fd00::1")),
        ("http://[::ffff:10.0.0.1]/", IPv6Address("::ffff:10.0.0.1")),
        ("http://kitchen.local/", None),
        ("http://abc/", None),
    ],
)
def test_only_a_literal_host_has_an_address(text: str, address: object) -> None:
    assert CallbackURL.parse(text).address == address


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("http://a/", "a"),
        ("http://a:8080/", "a:8080"),
        ("https://a:80/", "a:80"),
        ("http://[fd00::1]/", "[fd00::1]"),
        ("http://[fd00::1]:81/", "[fd00::1]:81"),
    ],
)
def test_the_authority_is_what_the_host_header_wants(text: str, authority: str) -> None:
    assert CallbackURL.parse(text).authority == authority


@given(URLS)
@example("http://[::ffff:1.2.3.4]/")
def test_the_canonical_url_is_its_own_canonical_form(text: str) -> None:
    url = CallbackURL.parse(text)
    assert CallbackURL.parse(str(url)) == url


@given(URLS)
def test_no_dot_segment_is_left_in_the_path(text: str) -> None:
    path = CallbackURL.parse(text).target.partition("?")[0]
    assert path.startswith("/")
    assert not {".", ".."} & set(path.split("/"))


@given(
    st.one_of(
        st.text(), st.text().map("http://".__add__), st.text("ab1.:@[]/%?#-\\ ", max_size=20).map("http://".__add__)
    )
)
def test_any_text_is_a_canonical_url_or_is_refused(text: str) -> None:
    try:
        url = CallbackURL.parse(text)
    except CallbackInvalid:
        return
    assert CallbackURL.parse(str(url)) == url
    assert str(url).isascii()
    assert str(url).isprintable()


HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "http://",
                "https://",
                "HTTP://",
                "//",
                "/",
                "\\\\",
                "@",
                ":",
                "?",
                "#",
                "%",
                "%2f",
                "%40",
                "%00",
                "..",
                ".",
            ),
            *(
                "10.0.1.18",
                "127.0.0.1",
                "evil.example",
                "kitchen",
                "[fd00::1]",
                "[::ffff:10.0.0.1]",
                "0x7f.1",
                "80",
                "8989",
            ),
            *(
                "a",
                "A",
                "-",
                "_",
                ";",
                "&",
                "=",
                "+",
                " ",
                "\t",
                "\x00",
                "é",
                "。",
                "\u2028",
                "%C3%A9",
                "%7e",
                "%2E%2E/",
            ),
        ]
    ),
    max_size=10,
).map("".join)


@given(HOSTILE | HOSTILE.map("http://10.0.1.18/".__add__) | HOSTILE.map("http://".__add__))
@settings(max_examples=500)
def test_what_is_taken_is_rebuilt_as_itself_and_names_the_host_that_other_parsers_see(text: str) -> None:
    try:
        url = CallbackURL.parse(text)
    except CallbackInvalid as error:
        assert str(error).isprintable()
        return
    again = CallbackURL.parse(str(url))
    assert again == url
    assert str(again) == str(url)
    for spelling in (text, str(url)):
        seen = urlsplit(spelling)
        assert (seen.hostname or "").rstrip(".") == url.host or ":" in url.host
        assert (seen.port or {"http": 80, "https": 443}[url.scheme]) == url.port
        assert seen.username is None
    assert "\r" not in url.target
    assert " " not in url.target
