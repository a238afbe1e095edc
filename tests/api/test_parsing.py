import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import strict
from ttgateway.api.parsing import MOST_BODY, NotAnObject, form_value, parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2.0**53), 2.0**53)
    | TEXT.filter(lambda text: len(text) < 100)
)


def containers(inner: SearchStrategy[object]) -> SearchStrategy[object]:
    return st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)


OBJECT = st.dictionaries(TEXT, st.recursive(LEAF, containers, max_leaves=20), max_size=5)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()), containers, max_leaves=20
)


def refusal(body: bytes) -> str:
    with pytest.raises(NotAnObject) as caught:
        parse_json(body)
    return str(caught.value)


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\t ", b"{}", b" {} "])
def test_a_blank_body_is_an_empty_object(body: bytes) -> None:
    assert parse_json(body) == {}


def test_an_object_is_returned_as_it_stands() -> None:
    body = '{"name": "66", "n": -3, "f": 1.5, "b": [true, null], "é": "\\ud83c\\udf55"}'.encode()
    assert parse_json(body) == {"name": "66", "n": -3, "f": 1.5, "b": [True, None], "é": "🍕"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "not a JSON object"),
        (b'"name"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"name": ', "line 1 column 10"),
        (b'{"name": "1"} {}', "line 1 column 15"),
        (b"{'name': 1}", "line 1 column 2"),
        (b'{"a": 1,}', "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8 at byte 7"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8 at byte 0"),
        (b'{"a": "\n"}', "line 1 column 8"),
        (b'{"a": [1, "\\ud800"]}', "half a surrogate pair at $.'a'[1]"),
        (b'{"a": "\\u0000"}', "a NUL or half a surrogate pair at $.'a'"),
        (b'{"\\udc00": 1}', "half a surrogate pair at $.'\\udc00'"),
        (b'{"a": {"b": 9007199254740993}}', "a number beyond 2^53 at $.'a'.'b'"),
        (b'{"a": -9007199254740993}', "a number beyond 2^53 at $.'a'"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": NaN}', "a number that is not finite at $.'a'"),
        (b'{"a": -Infinity}', "a number that is not finite at $.'a'"),
        (b'{"a": 1e999}', "a number that is not finite at $.'a'"),
        (b'{"a": 1, "a": 1}', "the name 'a' twice"),
        (b'{"x": {"a": 1, "\\u0061": 2}}', "the name 'a' twice"),
        (b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}", "nested too deep at $.'a'[0]"),
        (b"[" * 60_000, "nested too deep"),
        (b'{"a":' * 10_000, "nested too deep"),
        (b'{"a": "' + b"x" * MOST_BODY + b'"}', "longer than 65536 bytes"),
        (b" " * (MOST_BODY + 1), "longer than 65536 bytes"),
    ],
)
def test_what_other_parsers_disagree_about_is_refused(body: bytes, says: str) -> None:
    assert says in refusal(body)


def test_the_bounds_themselves_are_taken() -> None:
    deepest = b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}"
    assert parse_json(b'{"a": 9007199254740992, "b": -9007199254740992, "c": -9007199254740991.5}')["a"] == 2**53
    assert list(parse_json(deepest)) == ["a"]
    assert len(parse_json(b'{"' + b"a" * (MOST_BODY - 6) + b'":1}')) == 1


def test_a_refusal_quotes_no_long_and_no_raw_text() -> None:
    said = refusal(b'{"' + b"\\u001b" * 1000 + b'": 1e999}')
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 300


@given(OBJECT)
def test_good_objects_come_back(members: dict[str, object]) -> None:
    assert parse_json(json.dumps(members).encode()) == members
    assert parse_json(json.dumps(members, ensure_ascii=False).encode()) == members


@given(st.binary() | ANY_JSON.map(lambda value: json.dumps(value).encode()) | st.text("[]{},:\"'\\u0d89ea.+-NI \n"))
@example(b"[" * 3000 + b"]" * 3000)
def test_no_body_raises_anything_else(body: bytes | str) -> None:
    try:
        parsed = parse_json(body if isinstance(body, bytes) else body.encode())
    except NotAnObject as error:
        assert str(error).isprintable()
    else:
        assert json.loads(json.dumps(parsed)) == parsed


PIECES = st.sampled_from(
    [
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"',
            b'"a"',
            b'"b":',
            b"1",
            b"-0",
            b"1.5",
            b"1e3",
            b"1E+999",
            b"9007199254740993",
        ),
        *(
            b"true",
            b"null",
            b"NaN",
            b"-Infinity",
            b"01",
            b"1.",
            b".5",
            b"+1",
            b"0x1",
            b" ",
            b"\t",
            b"\x0b",
            b"\xa0",
            b"\xc2\xa0",
        ),
        *(
            b"\\ud83d\\ude00",
            b"\\ud800",
            b"\\u0000",
            b"\\x",
            b"\\u00g0",
            b"\x00",
            b"\xef\xbb\xbf",
            b"\xff",
            b"\xed\xa0\x80",
        ),
    ]
)
NEAR_JSON = st.lists(PIECES, max_size=12).map(b"".join)


@given(
    st.binary()
    | NEAR_JSON
    | NEAR_JSON.map(b'{"a": %s}'.__mod__)
    | ANY_JSON.map(lambda value: json.dumps(value).encode())
)
@example(b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}")
@example(b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}")
@example(b'{"a": 9007199254740992, "b": -9007199254740993}')
@example(b" " * 65_537)
def test_it_takes_what_another_strict_reader_takes_and_as_the_same_value(body: bytes) -> None:
    try:
        taken = parse_json(body)
    except NotAnObject:
        strict.check(body, None)
    else:
        strict.check(body, taken)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"http_client=http://10.0.1.18:8989/v1/notify?x=1&y=2", "http://10.0.1.18:8989/v1/notify?x=1&y=2"),
        (b"http_client=http://h/a%20b+c?x=%26&http_client=2", "http://h/a%20b+c?x=%26&http_client=2"),
        (b"a=1&http_client=HTTPS://h/&b=2", "HTTPS://h/&b=2"),
        (b"http_client=http%3A%2F%2F10.0.1.18%2Fn%3Fx%3D1%26y%3D2&b=2", "http://10.0.1.18/n?x=1&y=2"),
        (b"http_client=a+b%2Bc", "a b+c"),
        (b"http_client=", ""),
        (b"http_client", ""),
        (b"http_client=ftp://h/&b=2", "ftp://h/"),
        (b"http_client=%zz%", "%zz%"),
        (b"http_client=http://h\xc3\xa9/", "http://h\ufffd\ufffd/"),
        (b"http_client=http%3A//h%C3%A9/", "http://h\ufffd\ufffd/"),
        (b"", None),
        (b"a=http_client=1", None),
        (b"xhttp_client=1&http_clientx=1", None),
    ],
)
def test_a_form_value_may_be_an_unescaped_url(data: bytes, value: str | None) -> None:
    assert form_value(data, "http_client") == value


@given(st.binary())
def test_no_form_raises_anything(data: bytes) -> None:
    value = form_value(b"a=" + data, "a")
    assert value is not None
    assert all(character.isascii() or character == "\ufffd" for character in value)
