"""What the gateway refuses besides commands about orders. Faces translate these into replies."""


class Refusal(Exception):
    """A request that is understood and not granted; the text is for the caller."""


class TokenNameInvalid(Refusal):
    """The name for a token is not 1 to 64 letters, digits, blanks or ``. _ -``."""


class TokenRevoked(Refusal):
    """The token with which a WebSocket was opened opens nothing any more."""


class NoTokenInTime(Refusal):
    """A WebSocket showed no secret in its first 20 seconds."""


class MessageTooLong(Refusal):
    """A message on a WebSocket is longer than we take."""


class WindowShut(Refusal):
    """The button was not pressed within the last two minutes, or its one token was given out."""


class LinkSpent(Refusal):
    """A one-time link was used before, or is too old."""


class CallbackMissing(Refusal):
    """A listener wants to register, and names no URL."""


class CallbackInvalid(Refusal):
    """The callback is not a URL that we call."""


class CallbackForbidden(Refusal):
    """The policy does not let us call this URL; the text names the rule, and how the operator allows it."""


class ListenerOptionInvalid(Refusal):
    """One of the options of a registration (``secret``, ``events``, ``snapshot``, ``catch_up``) is malformed."""


class ListenerSilent(Refusal):
    """The listener gave no HTTP answer; ``cause`` is ``refused``, ``timeout``, ``dns``, ``tls`` or ``protocol``."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"Client not responding at {url}")
        self.cause = cause


class ListenerUnknown(Refusal):
    """No listener is registered under this URL or id."""


class PreferenceUnknown(Refusal):
    """A setting that clients may change has not this key."""


class PreferenceInvalid(Refusal):
    """The value of a setting that clients may change is not allowed."""


class PagingUnavailable(Refusal):
    """Nobody can be paged at present: the radio bridge is not connected."""


class PagingImpossible(Refusal):
    """This tracker has told that it cannot be paged."""


class ChangesGone(Refusal):
    """Changes that are asked for are no longer kept, or are of another epoch."""


class TooMany(Refusal):
    """A table or a rate is at its bound."""


class NotNow(Refusal):
    """Nothing can be stored at present: the disk is full, or the gateway is stopping or mending its store."""


class DiskFull(NotNow):
    """There is too little room on the disk to promise that an order is kept."""
