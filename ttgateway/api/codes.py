"""The numbers of protocol section 10, and the one table from what went wrong to what is replied."""

from enum import IntEnum

from ttgateway import refusals
from ttgateway.api.parsing import NotAnObject
from ttgateway.orders import errors


class Endpoint(IntEnum):
    """What a version 2 reply to this endpoint carries as its returnCode, where nothing else is to be said."""

    ACCESS_TOKEN = 1
    ACCESS_TOKEN_GENERATE = 2
    ACCESS_TOKEN_ALL = 3
    ACTIVE_ORDERS = 5
    ACTIVE_ORDER = 6
    ACTIVE_ORDER_PAGE = 7
    GATEWAY = 11
    REGISTER = 19


class Ack(IntEnum):
    """What was done, where there is nothing to show."""

    TOKEN_DELETED = 1001
    PAGING_CANCELED = 1002
    NOTHING_TO_CANCEL = 1003
    REGISTERED = 1005
    ALREADY_STARTED = 1009
    ALREADY_LOCATED = 1010
    LISTENER_REMOVED = 1901


class AuthorizationMalformed(Exception):
    """The ``Authorization`` header is none that we understand."""


class SecretUnknown(Exception):
    """No secret was shown, or one that opens nothing."""


class BooleanInvalid(Exception):
    """A value that must be true or false is neither."""


class BodyInvalid(Exception):
    """A field of the body is of the wrong kind."""


NO_SUCH_API = -5
TOO_LARGE = -31

ERRORS: dict[type[Exception], tuple[int, int]] = {
    AuthorizationMalformed: (400, -1),
    SecretUnknown: (401, -2),
    refusals.WindowShut: (403, -3),
    refusals.TokenNameInvalid: (400, -4),
    errors.OrderNotActive: (404, -6),
    errors.OrderIdInvalid: (400, -7),
    errors.NameMissing: (400, -8),
    errors.NameInvalid: (400, -9),
    errors.LocationInvalid: (400, -10),
    errors.TypeMissing: (400, -11),
    errors.TypeInvalid: (400, -12),
    BooleanInvalid: (400, -15),
    refusals.CallbackMissing: (400, -28),
    refusals.CallbackInvalid: (400, -29),
    refusals.CallbackForbidden: (403, -29),
    refusals.ListenerSilent: (404, -30),
    refusals.ListenerOptionInvalid: (400, -31),
    NotAnObject: (400, -31),
    BodyInvalid: (400, -31),
    refusals.ListenerUnknown: (404, -901),
    refusals.TooMany: (429, -903),
    errors.TooManyOrders: (429, -903),
    refusals.DiskFull: (507, -904),
    refusals.NotNow: (503, -904),
}
"""Status and returnCode of every error that a handler may raise."""
