"""One process sends: the lock of a data folder, on a file of its own and never on the database file.

A database server has locks of its own, by number (postgres.py).

The file holds the owner's process id and, once it listens, its address as JSON, for the terminal to find.
"""

import fcntl
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

NAME = "guvercin.lock"

LOCKS = 1_735_750_245
"""The first number of this project's advisory locks in PostgreSQL; the second says what is locked."""

GATEWAY, MIGRATION, EVENTS, NODES = 1, 2, 3, 4

SCHEMAS = LOCKS + 1
"""The first number of the locks by which gateways say which schema they know; the second is that one's own."""


NODE, SHELF = "guvercin.node", "guvercin.shelf"
"""Files with the names of a data folder and of a shared one, by which gateways of one database know them."""


class FolderLocked(Exception):  # noqa: N818 -- a word of the domain
    """Another process runs on this data folder."""


class DatabaseOwned(Exception):  # noqa: N818 -- as FolderLocked
    """Another gateway runs on this database, of another version or without the shared folder of this one."""


class DatabaseHeld(Exception):  # noqa: N818 -- as FolderLocked
    """The schema could not be changed beside gateways that run: a table was held for too long, or it took too long."""


class ServerTooOld(Exception):  # noqa: N818 -- as FolderLocked
    """The database server is older than what the statements were tried on."""


class FolderLock:
    """The lock, held until `release` or the process's end, however that comes."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise FolderLocked from None
        self.tell(None)

    def tell(self, address: str | None) -> None:
        """Write who holds the lock, and where it listens. It holds too where a full disk takes no word of it."""
        os.ftruncate(self._fd, 0)
        with suppress(OSError):
            os.pwrite(self._fd, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)

    def release(self) -> None:
        """Let go."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def mark_of(path: Path) -> str:
    """Answer the name in a file, which is made by chance if it isn't there: by one of those who ask at once."""
    with suppress(FileNotFoundError):
        return path.read_text("ascii").strip()
    fresh = path.with_name(f"{path.name}-{os.getpid()}")
    fresh.write_text(f"{secrets.token_hex(4)}\n", "ascii")
    try:
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    return path.read_text("ascii").strip()
