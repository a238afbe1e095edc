"""Secrets: who may call the gateway, and the button that lets a device ask for a token (protocol section 2).

A session is a secret with an end: what a one-time link of the operator's opens for the staff page.
"""

import re
import uuid
from collections.abc import Callable

import msgspec

from ttgateway.clock import Clock
from ttgateway.links import OneTimeLinks
from ttgateway.refusals import LinkSpent, TokenNameInvalid, TooMany, WindowShut
from ttgateway.store.store import Store
from ttgateway.store.tables import tokens
from ttgateway.store.tables.tokens import Token

WINDOW = 120.0
"""Seconds for which a press of the button lets one device ask for a token."""

MOST_TOKENS = 10_000

SESSION = 12 * 3600.0
"""Seconds until a session ends: a shift."""

MOST_SESSIONS = 64

SESSION_NAME = "staff page"

_SET_BACK = 60.0
"""Seconds by which the wall clock may be set back before sessions end: a clock that is wrong lengthens none."""

_NAME = re.compile(r"[A-Za-z0-9 ._-]{1,64}", re.ASCII)


class NewToken(msgspec.Struct, frozen=True):
    """A token that was just made, with its secret: shown this once, and kept nowhere."""

    token: Token
    secret: str


def token_name(value: object) -> str:
    """Return ``value`` (``None``: ``default``) if it can name a token; raise `TokenNameInvalid`."""
    if value is None:
        return "default"
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise TokenNameInvalid("Invalid token name. Must be 1 to 64 letters, digits, blanks, '.', '_' or '-'.")
    return value


def new_token(
    name: str, *, key: bool, entropy: Callable[[int], bytes], wall: float, ends: float | None = None
) -> NewToken:
    """Make a token (24 random bytes in hexadecimal) or a key (a random UUID, as version 1 used)."""
    secret = str(uuid.UUID(bytes=entropy(16), version=4)) if key else entropy(24).hex()
    kind: tokens.Kind = "key" if key else "token"
    return NewToken(Token(hash=tokens.digest(secret), name=name, kind=kind, created=wall, ends=ends), secret)


class Secrets:
    """All secrets of one gateway. ``entropy`` returns as many random bytes as it is asked for."""

    def __init__(self, store: Store, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._tokens = store.tokens
        self._shut_at = 0.0
        self.links = OneTimeLinks(clock, entropy)
        self._watchers: list[Callable[[Token], None]] = []

    def watch_revoked(self, revoked: Callable[[Token], None]) -> None:
        """Call ``revoked`` with each token that opens nothing any more."""
        self._watchers.append(revoked)

    def all(self) -> list[Token]:
        """Return every token, in the order of their making."""
        return list(self._tokens.values())

    def opens(self, secret: str) -> bool:
        """Return whether there is a token with this secret; that is no use of it."""
        token = self._tokens.get(tokens.digest(secret))
        return token is not None and not self.has_ended(token)

    def has_ended(self, token: Token) -> bool:
        """Return whether ``token`` is a session that is over."""
        return token.ends is not None and not token.created - _SET_BACK <= self._clock.now().wall < token.ends

    def check(self, secret: str, peer: str) -> Token | None:
        """Return the token with this secret, and note its use by ``peer``; ``None`` if there is none.

        Only hashes are looked up: how long that takes tells nothing about a secret.
        """
        token = self._tokens.get(tokens.digest(secret))
        if token is None or self.has_ended(token):
            return None
        token.last_used = self._clock.now().wall
        token.ip_address = peer
        self._store.uses.used(token)
        return token

    async def create(self, name: object, *, key: bool = False) -> NewToken:
        """Make a secret and keep its hash; raise `TokenNameInvalid` or `TooMany`."""
        return await self._kept(
            new_token(token_name(name), key=key, entropy=self._entropy, wall=self._clock.now().wall)
        )

    async def begin_session(self, code: str) -> NewToken:
        """Make a session for whoever shows the code of a one-time link; raise `LinkSpent` or `TooMany`."""
        if not self.links.take(code):
            raise LinkSpent("This link was used, or is too old. Make another one: ttgateway open")
        wall = self._clock.now().wall
        sessions = [token for token in self.all() if token.ends is not None]
        over = [token for token in sessions if self.has_ended(token)]
        for token in over:
            await self.revoke(token)
        if len(sessions) - len(over) >= MOST_SESSIONS:
            raise TooMany(f"Too many sessions of the staff page. At most {MOST_SESSIONS} are open.")
        return await self._kept(
            new_token(SESSION_NAME, key=False, entropy=self._entropy, wall=wall, ends=wall + SESSION)
        )

    async def _kept(self, made: NewToken) -> NewToken:
        if len(self._tokens) >= MOST_TOKENS:
            raise TooMany(f"Too many tokens. At most {MOST_TOKENS} are kept.")
        await self._store.write(tokens.saving(made.token))
        self._tokens[made.token.hash] = made.token
        return made

    def press_button(self) -> None:
        """Open the window for one token."""
        self._shut_at = self._clock.now().uptime + WINDOW

    async def create_in_window(self, name: object) -> NewToken:
        """Make a token for a device that has none; raise `WindowShut`, or what `create` raises."""
        shut_at = self._shut_at
        if self._clock.now().uptime >= shut_at:
            raise WindowShut("Time window expired or gateway button not pressed.")
        checked = token_name(name)
        self._shut_at = 0.0  # before the commit: two devices that ask at once must not both get one
        try:
            return await self.create(checked)
        except BaseException:
            self._shut_at = max(self._shut_at, shut_at)  # the button may have been pressed again meanwhile
            raise

    async def revoke(self, token: Token) -> None:
        """Let ``token`` open nothing any more."""
        await self._store.write(tokens.removing(token.hash))
        if self._tokens.pop(token.hash, None) is not None:
            for revoked in self._watchers:
                revoked(token)
