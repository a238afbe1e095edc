"""The HTTP API of a gateway, as a command calls it: version 2, with a secret."""

from typing import Any, cast

from twisted.internet.interfaces import IReactorTime

from ttgateway.commands.gateway.calling import NoAnswer, Requests, call
from ttgateway.commands.terminal.console import CommandFailed


class Refused(Exception):
    """The gateway refused something; the text is its message.

    ``status`` is the HTTP status, ``code`` the returnCode, ``cause`` why a listener cannot be reached (``""``: not
    said), and ``retry_after`` for how many seconds to wait (``None``: not said).
    """

    def __init__(self, status: int, message: str, code: int = 0, cause: str = "", retry_after: int | None = None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.cause = cause
        self.retry_after = retry_after

    @property
    def passes(self) -> bool:
        """Tell whether the same request may be granted later: too many at once, a full disk, a gateway that stops."""
        return self.status == 429 or self.status >= 500


class GatewayAPI:
    """The API at ``url`` (without a slash at its end), called with ``secret``."""

    def __init__(self, url: str, secret: str, requests: Requests, timers: IReactorTime) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._requests = requests
        self._timers = timers

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Return the reply to ``method`` on ``path``; raise `NoAnswer` or `Refused`.

        ``options`` are treq's: ``json``, ``params``.
        """
        answer = await call(self._requests, self._timers, method, self.url + path, headers=self._headers, **options)
        reply = answer.parsed()
        if not isinstance(reply, dict):
            raise NoAnswer(f"HTTP {answer.status} without a JSON object: is that a ttgateway?")
        if answer.status in (200, 201):
            return cast(dict[str, Any], reply)
        message, code = str(reply.get("message", f"HTTP {answer.status}")), reply.get("returnCode")
        raise Refused(
            answer.status,
            message,
            code if isinstance(code, int) else 0,
            str(reply.get("cause", "")),
            answer.retry_after,
        )

    async def first_call(self, path: str) -> dict[str, Any]:
        """Return the reply to a GET, or raise `CommandFailed` with why nothing can be done with this gateway."""
        try:
            return await self.call("GET", path)
        except NoAnswer as error:
            raise CommandFailed(f"no gateway can be reached at {self.url}: {error}") from None
        except Refused as error:
            raise self.failed(error) from None

    def failed(self, error: Refused | NoAnswer) -> CommandFailed:
        """Return ``error`` as what the operator is told when a command ends with it."""
        if isinstance(error, NoAnswer):
            return CommandFailed(f"the gateway at {self.url} does not answer: {error}")
        if error.status == 401:
            return CommandFailed(
                f"the gateway at {self.url} does not know this secret; is it the one of --state-dir, or of --token?"
            )
        return CommandFailed(f"the gateway at {self.url} refuses ({error.status}): {error}")
