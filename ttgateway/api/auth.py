"""Reading the secret that a caller shows (protocol section 2)."""

import base64
import binascii
from collections.abc import Callable, Sequence

from twisted.web.http_headers import Headers

from ttgateway.api.codes import AuthorizationMalformed


def shown_secret(headers: Sequence[bytes]) -> str | None:
    """Return the secret in the ``Authorization`` headers of a request, ``None`` where there is no such header.

    ``Bearer <secret>``, or ``Basic`` with the secret as the user name and an empty password; raises
    `AuthorizationMalformed` for anything else.
    """
    if not headers:
        return None
    if len(headers) > 1:
        raise AuthorizationMalformed("Malformed Authorization header. There must be only one.")
    scheme, _, value = headers[0].strip().partition(b" ")
    value = value.strip()
    if scheme.lower() == b"bearer" and value and b" " not in value:
        return value.decode("latin-1")
    if scheme.lower() == b"basic":
        return _user_name(value)
    raise AuthorizationMalformed("Malformed Authorization header. Must be Bearer or Basic with a secret.")


def shows_valid(headers: Headers, opens: Callable[[str], bool]) -> bool:
    """Return whether the headers of a request show a secret of which ``opens`` says that it is valid."""
    try:
        secret = shown_secret(headers.getRawHeaders(b"authorization", []))
    except AuthorizationMalformed:
        return False
    return secret is not None and opens(secret)


def _user_name(encoded: bytes) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    user_name, colon, password = decoded.partition(b":")
    if not user_name or not colon or password:
        raise AuthorizationMalformed("Malformed Authorization header. Must be base64 of the secret and a colon.")
    return user_name.decode("latin-1")
