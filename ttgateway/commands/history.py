"""``ttgateway history``: orders of the past, and those that are active, newest first."""

from typing import Any

import click

from ttgateway.api.fields import instant
from ttgateway.commands.gateway.api import Refused
from ttgateway.commands.gateway.calling import NoAnswer
from ttgateway.commands.gateway.lending import lent_api
from ttgateway.commands.options import as_json_option, gateway_option, token_option
from ttgateway.commands.terminal.console import Console, pass_console
from ttgateway.commands.terminal.tables import as_text, moment, plain, table
from ttgateway.commands.values import Checked
from ttgateway.orders.order import location_name

ORDERS = "/api/v2/orders"


def _time(value: str) -> None:
    try:
        instant(value)
    except ValueError:
        raise ValueError(f"{value!r} must be a time, as 2026-11-26T18:00:00") from None


_TIME = Checked("time", _time)
_TABLE = Checked("name", lambda value: location_name(value or " "))  # no order is for no table


@click.command()
@gateway_option
@token_option
@click.option("--limit", type=click.IntRange(1, 100), default=25, show_default=True, help="So many orders at most.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many of the newest.")
@click.option("--after", type=_TIME, metavar="TIME", help="Only what was started after, as 2026-11-26T18:00:00.")
@click.option("--before", type=_TIME, metavar="TIME", help="Only what was started before.")
@click.option("--type", "kind", type=click.Choice(["ON_PREMISE", "TO_GO"]), help="Only orders of this type.")
@click.option("--table", "place", type=_TABLE, metavar="NAME", help="Only orders for this table.")
@as_json_option
@pass_console
def history(console: Console, /, gateway: str | None, secret: str | None, as_json: bool, **wishes: Any) -> None:
    """Show orders of the past, and those that are active, newest first. Times are the gateway's."""

    async def work(reactor: Any, _: object) -> dict[str, Any]:
        async with lent_api(console, reactor, gateway, secret, "history") as api:
            try:
                return await api.call("GET", ORDERS, params=_asked(**wishes))
            except (NoAnswer, Refused) as error:
                raise api.failed(error) from None

    found = console.run(work)["items"]
    click.echo(as_text(found) if as_json else history_table(found))


def _asked(
    *, limit: int, offset: int, after: str | None, before: str | None, kind: str | None, place: str | None
) -> dict[str, object]:
    """Return what is asked for, under the API's names (protocol section 4)."""
    asked = {
        "limit": limit,
        "offset": offset,
        "created_after": after,
        "created_before": before,
        "order_type": kind,
        "location_name": place,
    }
    return {name: value for name, value in asked.items() if value is not None}


def history_table(found: list[dict[str, Any]]) -> str:
    """Return orders of the history as a table for people."""
    if not found:
        return "No order was found."
    heads = ("STARTED", "ORDER", "TYPE", "TABLE", "LOCATED", "PAGED", "CLEARED", "WHY")
    rows = [
        (
            moment(one["orderStarted"]),
            plain(one["name"]),
            plain(one["orderType"]),
            plain(one["locationName"]),
            _clock(one["orderLocated"]),
            _clock(one["orderPaged"]),
            _clock(one["orderCleared"]),
            plain(one["orderClearedReason"]),
        )
        for one in found
    ]
    return table(heads, rows, numbers="ORDER TABLE")


def _clock(shown: object) -> str:
    """Return the time of day: what happens to an order happens on the day on which it was started, or just after."""
    return plain(shown).rpartition("T")[2]
