"""The sandbox's memory: every arrival, in a file that outlives the process and that anybody can count.

One JSON object a line, appended and never changed:
  {"account":1,"message_id":42,"number":"+905000000001","remote_id":"DENEME-…","secret":"…","at":"2026-02-23T11:30:00Z"}
  {"played":["DENEME-…"],"from":4711}    these stories have been told to their end; all before byte `from` is over
  {"stumbled":42,"account":1,"at":"…"}   this message has had the trouble that its first try was to meet

Laws
1. A line is one write(2) to an O_APPEND descriptor, made before the arrival is answered. So kill -9 loses nothing that
   was answered. Nothing is fsynced: what a power cut does to a simulator's memory is not its business.
2. A line counts with its newline: what a full disk or a kill tore off never happened, and is cut off before the next.
3. Opening reads from the oldest unfinished story, not from the beginning. One that nobody heard for KEPT is dropped.
4. Opening a file larger than ROOM drops its beginning if at least half of it is older than KEPT. No arrival younger
   than that is ever removed, so whoever counts arrivals may trust the file for KEPT. It has no other bound.
5. A number of somebody who is forgotten is overwritten where it stands, and no place moves.
6. One process writes: the lock that lets a single process send guards this file too.
7. Where several gateways share a folder, each writes a file of its own there and reads those of the others. An arrival
   is written under the file's lock, and only by who may still send when it has that: so a file whose lock is free holds
   everything that its gateway will ever write under a lease that is over, and what is in none never arrived.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from errno import EBADF, ENOSPC
from pathlib import Path
from typing import Any

import orjson

from guvercin.transports.redacting import redact_lines

KEPT = timedelta(days=30)
ROOM = 64 * 1024 * 1024

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that has reached the sandbox: `secret` is that of the attempt, `at` the wall clock's time."""

    account_id: int
    message_id: int
    number: str
    remote_id: str
    secret: bytes
    at: datetime


@dataclass(slots=True)
class _Open:
    """What a later process must know of, each with the offset of its line, oldest first."""

    stories: dict[str, tuple[int, Arrival]] = field(default_factory=dict)
    stumbles: dict[tuple[int, int], int] = field(default_factory=dict)

    def begin(self, arrival: Arrival, offset: int) -> None:
        self.stories.setdefault(arrival.remote_id, (offset, arrival))
        self.stumbles.pop((arrival.account_id, arrival.message_id), None)

    def end(self, remote_ids: Sequence[str]) -> None:
        for remote_id in remote_ids:
            self.stories.pop(remote_id, None)

    def oldest(self) -> int | None:
        stories = (offset for offset, _ in self.stories.values())
        offsets = (next(stories, None), next(iter(self.stumbles.values()), None))
        return min((offset for offset in offsets if offset is not None), default=None)


class Ledger:
    """The file of arrivals, shared by all sandbox accounts of a process. Used from the event loop, save for `find`s."""

    def __init__(self, path: Path, *, now: datetime, others: Callable[[], Sequence[Path]] = lambda: ()) -> None:
        """Open our file. `others` names the files of other gateways, which may be there or come later."""
        self._others = others
        self._opened_at = now
        self._path = path
        self._fd = _open(path)
        self._torn_at: int | None = _end_of_lines(path)
        self._mend()
        if _trim(path, now):
            os.close(self._fd)
            self._fd = _open(path)
        self._open = _read_open(path, now)

    def close(self) -> None:
        """Let go of the file. Nothing can be appended afterwards."""
        os.close(self._fd)
        self._fd = -1  # so that a late write fails, whatever file has our number by then

    def append(self, arrival: Arrival, may_leave: Callable[[], bool] = lambda: True) -> bool:
        """Write an arrival down; its story is unfinished from here on. OSError: it did not happen.

        `may_leave` is asked right before: false, and nothing is written.
        """
        line = {
            "account": arrival.account_id,
            "message_id": arrival.message_id,
            "number": arrival.number,
            "remote_id": arrival.remote_id,
            "secret": arrival.secret.hex(),
            "at": arrival.at,
        }
        with _locked(self._fd):
            if not may_leave():
                return False
            self._open.begin(arrival, self._write(line))
        return True

    def unfinished(self, account_id: int) -> list[Arrival]:
        """Answer the arrivals of an account whose stories have not been told to their end, oldest first.

        Those of other gateways may have been told since: told again, a story is the same.
        """
        books = [self._open, *self._books_of_others()]
        return [arrival for book in books for _, arrival in book.stories.values() if arrival.account_id == account_id]

    def _books_of_others(self) -> list[_Open]:
        books = []
        for path in self._others():
            with suppress(OSError, ValueError):
                books.append(_read_open(path, self._opened_at))
        return books

    def finish(self, remote_ids: Sequence[str]) -> None:
        """Note that these stories are over. A disk that can't take the note costs repeated receipts after a restart."""
        self._open.end(remote_ids)
        oldest = self._open.oldest()
        with suppress(OSError):
            self._write({"played": remote_ids, "from": self._size() if oldest is None else oldest})

    def stumble(self, account_id: int, message_id: int, at: datetime) -> None:
        """Note that a message has met its trouble. OSError: it is not noted."""
        line = {"stumbled": message_id, "account": account_id, "at": at}
        self._open.stumbles[account_id, message_id] = self._write(line)

    def has_stumbled(self, account_id: int, message_id: int) -> bool:
        """Say whether a message has met its trouble and has not arrived since."""
        books = [self._open, *self._books_of_others()]
        return any((account_id, message_id) in book.stumbles for book in books)

    def find(self, secret: bytes) -> Arrival | None:
        """Look for the arrival of an attempt. Reads the file from its end, so not on the event loop.

        OSError, ValueError: the ledger can't be read, or another gateway is writing; that is no proof of anything.
        """
        needle = b'"secret":"%b"' % secret.hex().encode()
        line = _last_line(self._path, needle)
        for path in self._others() if line is None else ():
            with _read_alone(path):
                line = _last_line(path, needle) or line
        if line is None:
            return None
        if (arrival := _arrival(orjson.loads(line))) is None:
            raise ValueError("the line with this secret is not an arrival")
        return arrival

    def _size(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_END)

    def redact(self, number: str) -> int:
        """Overwrite a number in what was written, byte for byte, so that every place stays; answers how often it stood.

        Reads the file: not for the event loop.
        """
        word = number.encode()
        return redact_lines(self._path, word, lambda line: line.replace(word, b"0" * len(word)))

    def _write(self, entry: dict[str, object]) -> int:
        """Append one whole line and answer its offset. OSError: no line was added."""
        self._mend()
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
        start = self._torn_at = self._size()
        if os.write(self._fd, line) < len(line):
            with suppress(OSError):  # if it can't be cut now, it is before the next line
                self._mend()
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self._torn_at = None
        return start

    def _mend(self) -> None:
        """Cut off what was torn. OSError: it is still there, and nothing may be appended to it."""
        if self._torn_at is not None and self._size() > self._torn_at:
            os.ftruncate(self._fd, self._torn_at)
        self._torn_at = None


@contextmanager
def _locked(fd: int) -> Iterator[None]:
    """Let nobody take this file for complete meanwhile."""
    if fd < 0:
        raise OSError(EBADF, os.strerror(EBADF))
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def _read_alone(path: Path) -> Iterator[None]:
    """See that nobody is writing to a file. OSError: somebody is."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def arrivals(path: Path) -> list[Arrival]:
    """Answer every arrival that a ledger holds, in order: for tests that count. The file may be in use."""
    return [arrival for _, entry in _entries(path) if (arrival := _arrival(entry)) is not None]


def _arrival(entry: Mapping[str, Any]) -> Arrival | None:
    """Read a line as an arrival. Null: it is another kind of line, or not one of ours."""
    with suppress(KeyError, TypeError, ValueError):
        return Arrival(
            account_id=int(entry["account"]),
            message_id=int(entry["message_id"]),
            number=str(entry["number"]),
            remote_id=str(entry["remote_id"]),
            secret=bytes.fromhex(entry["secret"]),
            at=datetime.fromisoformat(entry["at"]).astimezone(UTC),
        )
    return None


def _open(path: Path, flags: int = 0) -> int:
    return os.open(path, flags | os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _entries(path: Path, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read the whole lines from byte `start` on, each with its offset. What isn't an object of JSON is passed over."""
    with path.open("rb") as file:
        offset = file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                with suppress(ValueError):
                    entry = orjson.loads(line)
                    if isinstance(entry, dict):
                        yield offset, entry
            offset += len(line)


def _read_open(path: Path, now: datetime) -> _Open:
    """Read what is still open, from the oldest of it on."""
    still_open = _Open()
    for offset, entry in _entries(path, _all_over_before(path)):
        match entry:
            case {"secret": _} if (arrival := _arrival(entry)) is not None:
                if now - arrival.at < KEPT:
                    still_open.begin(arrival, offset)
            case {"stumbled": int(message_id), "account": int(account_id), "at": str(at)}:
                if now - datetime.fromisoformat(at) < KEPT:
                    still_open.stumbles[account_id, message_id] = offset
            case {"played": [*remote_ids]}:
                still_open.end(remote_ids)
    return still_open


def _all_over_before(path: Path) -> int:
    """Answer the byte before which every story is over, as the last note of a story's end says."""
    last = _last_line(path, b'{"played":')
    return 0 if last is None else int(orjson.loads(last)["from"])


def _backwards(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read the whole lines of a file from its end, as (offset, block of lines); what has no newline is left out."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        rest = b""  # the end of a line that begins in the block before
        is_tail = True
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            block = file.read(end - start) + rest
            if is_tail:
                block = block[: block.rfind(b"\n") + 1]
                is_tail = not block
            first = (block.find(b"\n") + 1 or len(block)) if start else 0
            yield start + first, block[first:]
            rest = block[:first]
            end = start


def _last_line(path: Path, needle: bytes) -> bytes | None:
    """Look for the last whole line that contains `needle`, backwards and a block at a time. OSError: unreadable."""
    for _, lines in _backwards(path):
        if (found := lines.rfind(needle)) >= 0:
            return lines[lines.rfind(b"\n", 0, found) + 1 : lines.index(b"\n", found)]
    return None


def _end_of_lines(path: Path) -> int:
    """Answer where the last whole line ends."""
    return next((offset + len(lines) for offset, lines in _backwards(path) if lines), 0)


def _trim(path: Path, now: datetime) -> bool:
    """Drop what is older than KEPT from the beginning of a large file, if that is worth it. Say whether it was.

    The new file takes the old one's place in one step; where it can't be written, the old one stays as it is.
    """
    size = path.stat().st_size
    if size <= ROOM:
        return False
    young = (offset for offset, entry in _entries(path) if (it := _arrival(entry)) and now - it.at < KEPT)
    cut = next(young, size)
    if cut * 2 < size:
        return False
    shorter = path.with_suffix(".shorter")
    try:
        with path.open("rb") as old, os.fdopen(_open(shorter, os.O_TRUNC), "wb") as new:
            old.seek(cut)
            shutil.copyfileobj(old, new, _BLOCK)
            new.write(orjson.dumps({"played": [], "from": max(0, _all_over_before(path) - cut)}) + b"\n")
        shorter.replace(path)
    except OSError:
        with suppress(OSError):
            shorter.unlink(missing_ok=True)
        return False
    return True
