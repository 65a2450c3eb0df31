"""What a worker has heard and the gateway must not lose: an append-only file between the two.

The worker appends in the very thread in which the engine tells it, and syncs before it returns: what the engine has
acknowledged to WhatsApp is then on disk. The gateway reads on from where it stood, stores what it reads, and only then
moves its mark. So whichever of the two dies, nothing is lost between them; what was stored and not yet marked is told
again, which changes nothing.

Laws
1. One process writes (the worker that holds the account's lock), one reads.
2. A line counts with its newline: what a kill tore off never happened.
3. A segment is removed once it is read to its end and KEPT has passed: until then it is evidence.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from guvercin.transports.redacting import redact_lines
from guvercin.transports.web.protocol import Entry, ProtocolError, decode_entry, encode

KEPT = timedelta(days=14)
SEGMENT = 1024 * 1024
"""Bytes after which a new segment is begun."""

_DIGITS = 10
"""The last digits of a number stand in every way in which WhatsApp writes it."""

_WRITTEN = re.compile(rb'("(?:text|name|sender_name|push_name|caption|body)":")((?:[^"\\]|\\.)*)"')
"""What a person wrote, in a line of the journal."""

_MARK = "read"
_SUFFIX = ".jsonl"


class Place(NamedTuple):
    """A place in the journal: a segment and a byte of it."""

    segment: int
    offset: int


class Journal:
    """The writing end. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = _segments(folder)
        self._number = numbers[-1] if numbers else 1
        self._fd = self._open()
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")  # what was torn off stands alone now, and is skipped

    def append(self, *entries: Entry) -> None:
        """Write entries down, one sync for all; they are on disk when this returns. OSError: they are not."""
        if os.fstat(self._fd).st_size >= SEGMENT:
            os.close(self._fd)
            self._number += 1
            self._fd = self._open()
        for entry in entries:
            line = encode(entry)
            if os.write(self._fd, line) != len(line):
                raise OSError(errno.ENOSPC, "the journal took a part of a line")
        os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _open(self) -> int:
        path = _path(self._folder, self._number)
        is_new = not path.exists()
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if is_new:
            folder = os.open(self._folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return fd


@dataclass(frozen=True, slots=True)
class Read:
    """An entry and the place behind it."""

    entry: Entry
    after: Place


class Reader:
    """The reading end, and its mark."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = self._read_mark()

    def read(self, most: int) -> list[Read]:
        """Answer the next entries behind the mark, oldest first, at most so many."""
        found: list[Read] = []
        for number in _segments(self._folder):
            if number < self._mark.segment:
                continue
            offset = self._mark.offset if number == self._mark.segment else 0
            for line, after in _lines(_path(self._folder, number), offset):
                with suppress(ProtocolError):  # torn off, or written by an older program
                    found.append(Read(decode_entry(line), Place(number, after)))
                if len(found) == most:
                    return found
        return found

    def mark(self, after: Place) -> None:
        """Note that everything before this place is stored. Losing the note costs a repetition."""
        self._mark = after
        path = self._folder / _MARK
        draft = path.with_suffix(".new")
        draft.write_bytes(orjson.dumps(list(after)))
        draft.replace(path)

    def prune(self, now: datetime) -> None:
        """Remove segments that are stored to their end and have served their time."""
        for number in _segments(self._folder):
            path = _path(self._folder, number)
            if number < self._mark.segment and now.timestamp() - path.stat().st_mtime > KEPT.total_seconds():
                path.unlink(missing_ok=True)

    def _read_mark(self) -> Place:
        try:
            segment, offset = orjson.loads((self._folder / _MARK).read_bytes())
            return Place(int(segment), int(offset))
        except (OSError, ValueError, TypeError):
            return Place(0, 0)


def redact(folder: Path, number: str) -> int:
    """Overwrite what stored entries say of a number: its digits, and what its person wrote; answers how many lines.

    What is not stored yet stays: it is about to be told. OSError.
    """
    digits = number[-_DIGITS:].encode()
    mark = Reader(folder)._mark  # noqa: SLF001 -- this file's own

    def blank(line: bytes) -> bytes:
        written = _WRITTEN.sub(lambda found: found[1] + b" " * len(found[2]) + b'"', line)
        return written.replace(digits, b"0" * len(digits))

    return sum(
        redact_lines(_path(folder, segment), digits, blank, end=mark.offset if segment == mark.segment else None)
        for segment in _segments(folder)
        if segment <= mark.segment
    )


def holding(folder: Path, *words: bytes) -> Iterator[Entry]:
    """Answer every kept entry whose line holds one of these words: a quick look before a slow one. OSError."""
    for number in _segments(folder):
        for line, _ in _lines(_path(folder, number), 0):
            if any(word in line for word in words):
                with suppress(ProtocolError):
                    yield decode_entry(line)


def _lines(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset


def _segments(folder: Path) -> list[int]:
    try:
        return sorted(int(path.stem) for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())
    except FileNotFoundError:
        return []


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:08}{_SUFFIX}"
