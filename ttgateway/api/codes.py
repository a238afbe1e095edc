"""The numbers of protocol section 10, and the one table from what went wrong to what is replied."""

from enum import IntEnum

from ttgateway import refusals
from ttgateway.api.parsing import NotAnObject
from ttgateway.api.server.refusal import BODY_INVALID, NO_SUCH_API, NOT_NOW
from ttgateway.orders import errors


class Endpoint(IntEnum):
    """What a version 2 reply to this endpoint carries as its returnCode, where nothing else is to be said."""

    ACCESS_TOKEN = 1
    ACCESS_TOKEN_GENERATE = 2
    ACCESS_TOKEN_ALL = 3
    CAPABILITIES = 4
    ACTIVE_ORDERS = 5
    ACTIVE_ORDER = 6
    ACTIVE_ORDER_PAGE = 7
    ORDERS = 8
    ORDER = 9
    STATISTICS = 10
    GATEWAY = 11
    GATEWAY_ACTIVATE = 12
    GATEWAY_SETTINGS = 13
    GATEWAY_CHECK = 14
    REPEATERS = 15
    BEGIN_PAIRING = 16
    END_PAIRING = 17
    TRACKERS = 18
    REGISTER = 19
    LISTENERS = 901
    EVENTS = 902


class Ack(IntEnum):
    """What was done, where there is nothing to show."""

    TOKEN_DELETED = 1001
    PAGING_CANCELED = 1002
    NOTHING_TO_CANCEL = 1003
    SETTINGS_CHANGED = 1004
    REGISTERED = 1005
    REPEATERS_CLEARED = 1006
    TRACKERS_CLEARED = 1007
    ALREADY_STARTED = 1009
    ALREADY_LOCATED = 1010
    PAIRING_ON = 1012
    PAIRING_OFF = 1013
    LISTENER_REMOVED = 1901
    RESYNC_QUEUED = 1902
    REPLAY_QUEUED = 1903


class AuthorizationMalformed(Exception):
    """The ``Authorization`` header is none that we understand."""


class SecretUnknown(Exception):
    """No secret was shown, or one that opens nothing."""


class BooleanInvalid(Exception):
    """A value that must be true or false is neither."""


class BodyInvalid(Exception):
    """A field of the body is of the wrong kind."""


class PairingTimeInvalid(Exception):
    """The time for pairing is not a whole number of seconds from 0 to 254."""


class DeviceCodeMalformed(Exception):
    """The device code has not the form ``012-3456-789``."""


class DeviceCodeMissing(Exception):
    """An activation names no device code."""


class DeviceCodeUnknown(Exception):
    """No cloud knows the device code: none is configured here."""


class TargetTimeInvalid(Exception):
    """The target of the statistics is no time in seconds."""


class LimitInvalid(Exception):
    """The most items to be shown is not a whole number in its bounds."""


class OffsetInvalid(Exception):
    """How many items to leave out is not a whole number from 0."""


class DateInvalid(Exception):
    """A time of the query is none."""


class UuidInvalid(Exception):
    """What should name an order of the history is no uuid."""


class NoUpgrade(Exception):
    """What was asked for is a WebSocket, and the request does not ask for one."""


ERRORS: dict[type[Exception], tuple[int, int]] = {
    AuthorizationMalformed: (400, -1),
    SecretUnknown: (401, -2),
    refusals.WindowShut: (403, -3),
    refusals.LinkSpent: (403, -3),
    refusals.TokenNameInvalid: (400, -4),
    errors.OrderNotActive: (404, -6),
    errors.OrderIdInvalid: (400, -7),
    errors.NameMissing: (400, -8),
    errors.NameInvalid: (400, -9),
    errors.LocationInvalid: (400, -10),
    errors.TypeMissing: (400, -11),
    errors.TypeInvalid: (400, -12),
    refusals.PagingUnavailable: (503, -13),
    refusals.PagingImpossible: (409, -14),
    BooleanInvalid: (400, -15),
    PairingTimeInvalid: (400, -16),
    DeviceCodeMalformed: (400, -17),
    DeviceCodeMissing: (400, -18),
    DeviceCodeUnknown: (400, -19),
    refusals.PreferenceUnknown: (400, -20),
    refusals.PreferenceInvalid: (400, -21),
    TargetTimeInvalid: (400, -22),
    LimitInvalid: (400, -23),
    OffsetInvalid: (400, -24),
    DateInvalid: (400, -25),
    UuidInvalid: (400, -27),
    refusals.CallbackMissing: (400, -28),
    refusals.CallbackInvalid: (400, -29),
    refusals.CallbackForbidden: (403, -29),
    refusals.ListenerSilent: (404, -30),
    refusals.ListenerOptionInvalid: (400, BODY_INVALID),
    NotAnObject: (400, BODY_INVALID),
    BodyInvalid: (400, BODY_INVALID),
    refusals.NoTokenInTime: (408, -32),
    refusals.TokenRevoked: (401, -2),
    refusals.MessageTooLong: (413, BODY_INVALID),
    NoUpgrade: (426, NO_SUCH_API),
    refusals.ListenerUnknown: (404, -901),
    refusals.ChangesGone: (410, -902),
    refusals.TooMany: (429, -903),
    errors.TooManyOrders: (429, -903),
    refusals.DiskFull: (507, NOT_NOW),
    refusals.NotNow: (503, NOT_NOW),
}
"""Status and returnCode of every error that a handler may raise."""
