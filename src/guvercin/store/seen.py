"""The newest event that this data folder has seen, kept beside the database and never in a backup of it.

A database whose events end before this mark is an older copy: what it believes to be waiting may have been sent since.
The mark never goes back: an older copy, or an empty database in the place of a lost one, must not pass for the newest.
"""

import os
from contextlib import suppress
from pathlib import Path

NAME = "guvercin.seen"


class Seen:
    """A small file with one number, rewritten in place after every commit."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._fd: int | None = None
        self._newest = 0

    def read(self) -> int:
        """Answer the newest event seen; 0 for a new folder or a file that can't be read as a number."""
        try:
            return int(self._path.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def open(self) -> None:
        """Open the file for marking."""
        self._newest = self.read()
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def mark(self, event_id: int) -> None:
        """Write the number if it is newer. Trouble here must not fail a commit that has happened."""
        if self._fd is not None and event_id > self._newest:
            self._newest = event_id
            with suppress(OSError):
                os.pwrite(self._fd, b"%020d" % event_id, 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
