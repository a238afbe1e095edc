"""Secrets in the file: only their hashes, and what is known of their use."""

import hashlib
from typing import Literal

import apsw
import msgspec

from ttgateway.store.commits import GroupCommit
from ttgateway.store.tables.entry import Values
from ttgateway.store.transactions import Work

Kind = Literal["token", "key"]


class Token(msgspec.Struct, kw_only=True):
    """A secret, as the store knows it: ``hash`` is SHA-256 of it, ``kind`` ``token`` or ``key``, times Unix seconds.

    ``ends`` is when it opens nothing any more by itself; ``None``: it does not end. Such a one is a session.
    """

    hash: bytes
    name: str
    kind: Kind
    created: float
    last_used: float | None = None
    ip_address: str | None = None
    ends: float | None = None


NAMES = Token.__struct_fields__


def digest(secret: str) -> bytes:
    """Return what is kept of a secret. It is random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def load(db: apsw.Connection) -> dict[bytes, Token]:
    """Return every token by its hash."""
    rows = db.execute(f"SELECT {', '.join(NAMES)} FROM tokens ORDER BY created, hash")  # noqa: S608
    tokens = [from_row(row) for row in rows]
    return {token.hash: token for token in tokens}


def from_row(row: Values) -> Token:
    """Return the token in a row of ``tokens``; raise ``msgspec.ValidationError``."""
    return msgspec.convert(dict(zip(NAMES, row, strict=True)), Token)


def saving(token: Token) -> Work[object]:
    """Return the write of a new token."""
    query = f"INSERT INTO tokens ({', '.join(NAMES)}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608
    row = msgspec.structs.astuple(token)
    return lambda db: db.execute(query, row)


def removing(token_hash: bytes) -> Work[object]:
    """Return the write that removes a token."""
    return lambda db: db.execute("DELETE FROM tokens WHERE hash = ?", (token_hash,))


class Uses:
    """When and from where tokens were last used: rides with a commit that is made anyway, never asks for one."""

    def __init__(self, commits: GroupCommit) -> None:
        self._used: dict[bytes, Token] = {}
        self._taken: dict[bytes, Token] = {}
        commits.add_rider(self)

    def used(self, token: Token) -> None:
        """Write the token's last use with the next commit."""
        self._used[token.hash] = token

    def take(self) -> Work[object] | None:
        """Return the write of all last uses."""
        self._taken, self._used = self._used, {}
        if not self._taken:
            return None
        rows = [(token.last_used, token.ip_address, token.hash) for token in self._taken.values()]
        return lambda db: db.executemany("UPDATE tokens SET last_used = ?, ip_address = ? WHERE hash = ?", rows)

    def lost(self) -> None:
        """What was taken last is to be written again."""
        self._used = {**self._taken, **self._used}
