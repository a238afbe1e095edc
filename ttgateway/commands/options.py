"""The options that commands have in common."""

from urllib.parse import urlsplit

import click

from ttgateway.commands.gateway.address import DEFAULT


class GatewayURL(click.ParamType[str]):
    """The address of a gateway: ``http://host:port``; converts to the same without a slash at its end."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the URL that ``value`` spells, or end with a usage error that says what is wrong with it."""
        try:
            parts = urlsplit(value)
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError as error:
            self.fail(f"{value!r} is not a URL: {error}", param, ctx)
        beyond = parts.path.removeprefix("/") or parts.query or parts.fragment
        if parts.scheme not in ("http", "https") or beyond or not host:
            self.fail(f"{value!r} must be http://HOST:PORT", param, ctx)
        if parts.username is not None or not host.isascii():
            self.fail(f"{value!r} must be http://HOST:PORT, in ASCII and without a user", param, ctx)
        if ":" in host:
            self.fail(f"{value!r}: an IPv6 address cannot be used here; use a name", param, ctx)
        return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


gateway_option = click.option(
    "--gateway",
    type=GatewayURL(),
    help=f"The gateway's address. [default: that of the gateway on the state directory, or else {DEFAULT}]",
)

token_option = click.option(
    "--token",
    "secret",
    envvar="TTGATEWAY_TOKEN",
    show_envvar=True,
    metavar="SECRET",
    help="The secret to show to the gateway. Without it, the daemon on the state directory is asked for a temporary"
    " one, which is revoked at the end.",
)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
