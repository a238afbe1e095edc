"""Signatures by which a listener knows that a delivery is ours (https://www.standardwebhooks.com)."""

import base64
from datetime import UTC, datetime

from standardwebhooks import Webhook

from ttgateway.refusals import ListenerOptionInvalid

_PREFIX = "whsec_"


def check_secret(text: object) -> str:
    """Return ``text`` if it is a secret for signing: ``whsec_`` and the padded base64 of 24 to 64 bytes.

    Raise `ListenerOptionInvalid`, whose text never contains the secret.
    """
    if isinstance(text, str) and text.startswith(_PREFIX) and _is_key(text.removeprefix(_PREFIX)):
        return text
    raise ListenerOptionInvalid("Invalid secret. Must be whsec_ followed by the base64 of 24 to 64 bytes.")


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a delivery.

    ``secret`` is one that `check_secret` passed, ``webhook_id`` and ``timestamp`` (Unix time in seconds) are those of
    the delivery's headers, and ``body`` is its JSON in UTF-8.
    """
    at = datetime.fromtimestamp(timestamp, UTC)  # aware: `sign` takes whatever it gets for UTC
    return Webhook(secret).sign(msg_id=webhook_id, timestamp=at, data=body.decode())


def _is_key(text: str) -> bool:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    # The decoder tolerates padding in excess, other languages' do not.
    return 24 <= len(key) <= 64 and base64.b64encode(key).decode() == text
