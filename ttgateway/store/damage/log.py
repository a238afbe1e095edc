"""Was the end of SQLite's write-ahead log damaged? SQLite would take what follows as never written, and tell nobody.

After a power cut the last transaction may be torn, rightly so: nobody was told of it. A log that was damaged otherwise
looks the same to SQLite; but not to us, who sync each transaction before the next one begins. So behind the point where
SQLite stopped reading one transaction goes on from the end of another, or the log's index remembers a later end: that
file is written only after the sync, and is what the last process left, if only it was killed.

Formats: https://sqlite.org/fileformat2.html#the_write_ahead_log and https://sqlite.org/walformat.html.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import msgspec

_HEADER = 32
_FRAME_HEADER = 24
_SECTOR = 512
"""What is written whole or not at all, in bytes."""

_INDEX = struct.Struct("=I8xB3xI12x8s8x")
"""Of the index's header: version, whether it is initialised, the last valid frame, the log's salt."""

_INDEX_VERSION = 3_007_000


class LogEnd(msgspec.Struct, frozen=True):
    """How far a log reaches: ``frames`` of those with this ``salt``. A log that is begun anew has another salt."""

    salt: bytes
    frames: int


def noted_end(path: str) -> LogEnd | None:
    """Return where the log of the store at ``path`` ends by its index; ``None`` where that tells nothing.

    Before the store is opened it is what the last process knew; while it is open, how far SQLite has read.
    """
    try:
        with Path(f"{path}-shm").open("rb") as index:
            first, second = index.read(_INDEX.size), index.read(_INDEX.size)
    except OSError:
        return None
    if len(second) < _INDEX.size or first != second:
        return None
    version, initialised, frames, salt = _INDEX.unpack(first)
    return LogEnd(salt, frames) if version == _INDEX_VERSION and initialised else None


def loss(path: str, noted: LogEnd | None) -> str | None:
    """Return what the log of the open store at ``path`` has lost, in words; ``None`` for nothing.

    ``noted`` is what `noted_end` returned before it was opened.
    """
    read = noted_end(path) or LogEnd(b"", 0)
    with Path(f"{path}-wal").open("rb") as log:
        header = log.read(_HEADER)
        size = log.seek(0, 2)
        if noted is not None and noted.frames and size <= _HEADER:
            return f"its log of {noted.frames} pages is gone"
        if noted is not None and noted.salt == read.salt and noted.frames > read.frames:
            return f"its log is sound for {read.frames} of {noted.frames} pages"
        if size > _HEADER and not _is_sound(header):
            return "the head of its log is damaged"
        if size > _HEADER and _goes_on(log, header, read):
            return f"its log is damaged after {read.frames} pages"
    return None


def checksum(data: bytes, big_endian: bool, first: int = 0, second: int = 0) -> tuple[int, int]:
    """Return SQLite's checksum of ``data``, a multiple of 8 bytes, that goes on from one of what stands before it."""
    words = struct.unpack(f"{'>' if big_endian else '<'}{len(data) // 4}I", data)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second


def _is_sound(header: bytes) -> bool:
    return checksum(header[:24], bool(header[3] & 1)) == struct.unpack(">2I", header[24:])


def _goes_on(log: BinaryIO, header: bytes, read: LogEnd) -> bool:
    """Tell whether behind the last sound frame one transaction ends and another was begun upon it.

    Each frame's checksum goes on from that of the frame before. So the first of another transaction proves that the
    one before was synced. What a failed commit has left, or a power cut of one, is followed by nothing like it.
    """
    step = _FRAME_HEADER + int.from_bytes(header[8:12], "big")
    start = log.seek(_HEADER + read.frames * step)
    frames = log.read()
    for at in range(0, len(frames) - 2 * step + 1, step):
        frame, following = frames[at : at + _FRAME_HEADER], frames[at + step : at + 2 * step]
        # The size of the file after the commit; unless it lies in another sector than the salt, and may be an old one.
        ends = frame[4:8] != bytes(4) and (start + at + 8) % _SECTOR != 0
        if ends and frame[8:16] == following[8:16] == read.salt and _follows(following, frame, bool(header[3] & 1)):
            return True
    return False


def _follows(frame: bytes, before: bytes, big_endian: bool) -> bool:
    """Tell whether the checksum of ``frame`` goes on from that in the header of the one ``before``."""
    first, second = struct.unpack(">2I", before[16:24])
    content = frame[:8] + frame[_FRAME_HEADER:]
    return checksum(content, big_endian, first, second) == struct.unpack(">2I", frame[16:24])
