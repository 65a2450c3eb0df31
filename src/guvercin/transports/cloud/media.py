"""Which uploaded file Meta still knows under which id, so that a bulk send uploads its file once.

Meta keeps an upload for 30 days, for the one number that uploaded it. The ids are kept in a small file beside the
account's set-up: losing it costs an upload and nothing else.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

KEPT = timedelta(days=29)
"""A day less than Meta's 30: an id must outlive the message that names it."""


class MediaIds:
    """The ids of one number's uploads, by the digest of their bytes."""

    def __init__(self, path: Path | None) -> None:
        """Take the file to remember them in; null: they are remembered as long as this object lives."""
        self._path = path
        self._ids: dict[str, tuple[str, float]] = {}
        if path is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError):
                self._ids = {
                    key: (str(each[0]), float(each[1])) for key, each in orjson.loads(path.read_bytes()).items()
                }

    def find(self, digest: str, now: datetime) -> str | None:
        """Answer the id of a file that Meta still has."""
        media_id, until = self._ids.get(digest, ("", 0.0))
        return media_id if now < datetime.fromtimestamp(until, UTC) else None

    def keep(self, digest: str, media_id: str, now: datetime) -> None:
        """Remember an upload, and forget those whose time is over."""
        self._ids = {key: each for key, each in self._ids.items() if each[1] > now.timestamp()}
        self._ids[digest] = (media_id, (now + KEPT).timestamp())
        self._write()

    def forget(self, digest: str) -> None:
        """Forget an upload that Meta no longer knows."""
        if self._ids.pop(digest, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        with suppress(OSError):
            fresh = self._path.with_suffix(".new")
            fresh.write_bytes(orjson.dumps(self._ids))
            fresh.replace(self._path)
