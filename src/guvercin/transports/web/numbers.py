"""Which numbers are on WhatsApp, as far as we have asked: a file in the account's folder, and its limits.

Asking costs: WhatsApp watches who looks numbers up, and a send to a number that isn't there is worse. So every number
is asked about once before its first message, the answer is kept, and no more than DAILY are asked about in a day.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

REGISTERED_FOR = timedelta(days=30)
ABSENT_FOR = timedelta(days=7)
DAILY = 200

_DAY = timedelta(days=1)


class Numbers:
    """What is known of numbers. One JSON list a line: number, whether it is registered, when it was asked about."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[bool, datetime]] | None = None

    def is_registered(self, number: str, now: datetime) -> bool | None:
        """Answer what is known of a number; null: nothing, or too long ago."""
        found = self._load(now).get(number)
        if found is None:
            return None
        is_registered, at = found
        return is_registered if now - at < (REGISTERED_FOR if is_registered else ABSENT_FOR) else None

    def may_ask_at(self, now: datetime) -> datetime | None:
        """Answer when the next number may be asked about; null: now."""
        asked = sorted(at for _, at in self._load(now).values() if now - at < _DAY)
        return asked[-DAILY] + _DAY if len(asked) >= DAILY else None

    def learn(self, number: str, now: datetime, *, is_registered: bool) -> None:
        """Keep an answer. A disk that can't take it costs a question more."""
        self._load(now)[number] = (is_registered, now)
        line = orjson.dumps([number, is_registered, now.isoformat()], option=orjson.OPT_APPEND_NEWLINE)
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.write(fd, line)
        finally:
            os.close(fd)

    def _load(self, now: datetime) -> dict[str, tuple[bool, datetime]]:
        if self._known is None:
            self._known = {}
            for line in _lines(self._path):
                try:
                    number, is_registered, at = orjson.loads(line)
                    asked_at = datetime.fromisoformat(at).astimezone(UTC)
                except (ValueError, TypeError):
                    continue
                if now - asked_at < REGISTERED_FOR:
                    self._known[number] = (bool(is_registered), asked_at)
        return self._known


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError:
        return []
