"""What options and arguments take: times, durations, listeners. Each converts, or ends with a usage error."""

import math
import re
from collections.abc import Callable
from typing import Any

import click

from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.notifier.attempts.signing import check_secret
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.orders.errors import OrderError
from ttgateway.refusals import CallbackInvalid, ListenerOptionInvalid, Refusal
from ttgateway.settings import Opening, allowed_network

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", re.ASCII)
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Checked(click.ParamType[str]):
    """A text that ``check`` lets pass; what it raises (`Refusal`, `OrderError`, ``ValueError``) says what is wrong."""

    def __init__(self, name: str, check: Callable[[str], object]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is; raise `CommandFailed`, which names the option."""
        try:
            self._check(value)
        except (Refusal, OrderError, ValueError) as error:
            named = f"{param.opts[0]}: " if isinstance(param, click.Option) else ""
            raise CommandFailed(f"{named}{error}", 2) from None
        return value


class Number(click.FloatRange):
    """A number in a range; ``nan`` is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or end with a usage error."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class TimeOfDay(click.ParamType[float]):
    """A time of day, ``HH:MM``; converts to seconds after midnight."""

    name = "HH:MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or end with a usage error."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value, re.ASCII)
        if found is None:
            self.fail(f"{value!r} must be a time of day, as 11:30", param, ctx)
        return 3600.0 * int(found[1]) + 60.0 * int(found[2])


class Duration(click.ParamType[float]):
    """A duration, ``90``, ``90s``, ``10m`` or ``2h``; converts to seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or end with a usage error."""
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(value)
        if found is None or not float(found[1]):
            self.fail(f"{value!r} must be a duration, as 90s, 10m or 2h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


class ListenerURL(click.ParamType[CallbackURL]):
    """The URL of a listener, as it could register it."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> CallbackURL:
        """Return the URL, or end with a usage error."""
        try:
            return CallbackURL.parse(value)
        except CallbackInvalid as error:
            self.fail(str(error), param, ctx)


class SigningSecret(click.ParamType[str]):
    """A secret that signs deliveries: ``whsec_...``, or ``""`` for none."""

    name = "secret"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the secret, or end with a usage error, which does not contain it."""
        try:
            return check_secret(value) if value else ""
        except ListenerOptionInvalid as error:
            self.fail(str(error), param, ctx)


class Allowed(click.ParamType[Opening]):
    """An entry of ``callbacks.allow``: a network, or one port of it."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Opening:
        """Return the opening, or end with a usage error."""
        try:
            return allowed_network(value)
        except ValueError as error:
            self.fail(
                f"{value!r} must be a network, as 203.0.113.0/24 or '203.0.113.7/32 port 8080': {error}", param, ctx
            )
