import click
import pytest

from ttgateway.commands.options import GatewayURL


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://Gateway.local:8000/", "http://gateway.local:8000"),
        ("https://gateway", "https://gateway"),
    ],
)
def test_an_address_loses_its_slash(text: str, url: str) -> None:
    assert GatewayURL().convert(text, None, None) == url


@pytest.mark.parametrize(
    "text",
    [
        "gateway:8000",
        "ftp://gateway",
        "http://",
        "http://gateway:99999",
        "http://gateway/api/v2",
        "http://gateway?x=1",
        "http://user@gateway",
        "http://a..b",
        "http://[::1]:8000",
        "http://[::1",
        "http://käse",
        "",
    ],
)
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter):
        GatewayURL().convert(text, None, None)
