"""What goes out over WebSockets, as bytes: each change is written out once, and the same bytes go to all readers.

Twisted's own way, ``sendTextMessage``, makes the frame anew for each reader. A frame from a server holds nothing of
its connection (no mask, and we agree on no extension), so it can be shared; wsproto makes it.
"""

import msgspec
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.journal import Journal

MOST_AT_ONCE = 16 * 1024
"""About how many bytes of changes are written to a reader before it is asked whether it keeps up."""

KEPT = 256
"""How many frames are kept for the readers that come by last."""


def text_frame(text: str) -> bytes:
    """Return the frame of a text message."""
    return _frame(TextMessage(text))


def ping_frame() -> bytes:
    """Return a frame that the peer must answer."""
    return _frame(Ping())


def close_frame(code: int) -> bytes:
    """Return the frame that ends a WebSocket with ``code``."""
    return _frame(CloseConnection(code))


def _frame(event: Event) -> bytes:
    return bytes(Connection(ConnectionType.SERVER).send(event))


def change_text(entry: Entry) -> str:
    """Return the message that tells of a change: what a listener gets, less version 1's name of the state's time."""
    fields = msgspec.json.decode(entry.body)
    del fields["stateStarted"]
    return msgspec.json.encode(fields).decode()


class Frames:
    """The frames of a journal's newest changes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._made: dict[int, bytes] = {}
        self._asked = (0, 0)
        self._run: tuple[bytes, int] | None = None  # what was answered then: mostly, all readers ask the same

    def after(self, cursor: int) -> tuple[bytes, int] | None:
        """Return the frames of changes that follow seq ``cursor``, about `MOST_AT_ONCE`, and the seq of the last.

        ``None`` where the next change is no longer in the journal's memory. To be asked where there is one.
        """
        asked = (cursor, self._journal.last)
        if asked != self._asked:
            self._asked, self._run = asked, self._joined(cursor)
        return self._run

    def _joined(self, cursor: int) -> tuple[bytes, int] | None:
        frames: list[bytes] = []
        size = 0
        while size < MOST_AT_ONCE and (entry := self._journal.recent(cursor)) is not None:
            frames.append(self._of(entry))
            size += len(frames[-1])
            cursor = entry.seq
        return (b"".join(frames), cursor) if frames else None

    def _of(self, entry: Entry) -> bytes:
        frame = self._made.get(entry.seq)
        if frame is None:
            frame = self._made[entry.seq] = text_frame(change_text(entry))
            if len(self._made) > KEPT:
                del self._made[next(iter(self._made))]
        return frame
