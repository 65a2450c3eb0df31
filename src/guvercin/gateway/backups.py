"""One file that holds everything a data folder can't do without, written while the server runs.

Laws
1. A backup is one tar file: the database (copied while it is written to), the copies of files, the settings. What must
   never come back from the past stays out: the mark of the newest event, the sandbox's log, locks and keys in files.
2. It is private to its owner, and is no backup before it is whole and on the disk.
"""

import contextlib
import os
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from guvercin.core.alert import BACKUP_MARK

DATABASE = "guvercin.db"
SETTINGS = "guvercin.toml"
SPOOL_FILE = re.compile(r"spool/[0-9a-f]{2}/[0-9a-f]{64}")


def write_backup(data: Path, whole: Path) -> int:
    """Write a data folder into an archive that is not there yet; answers how many copies of files are in it. OSError.

    SCHEMA_TOO_NEW. An older database stays old, so that a backup before an update can go back before it.
    """
    # The database first: a file that is no longer there then belongs to a message that has left since.
    copy = whole.with_name(f"{whole.name}.{DATABASE}")
    try:
        _copy(data / DATABASE, copy)
        return _write(data, copy, whole)
    finally:
        copy.unlink(missing_ok=True)


def mark(data: Path) -> None:
    """Remember that a backup was made now: the alarm asks for one again when it is old."""
    with contextlib.suppress(OSError):  # a folder that takes nothing is no reason to call a whole backup a failure
        (data / BACKUP_MARK).touch(mode=0o600)


def last_made(data: Path) -> datetime | None:
    """Answer when the last backup was made; null: never, as far as this folder knows."""
    try:
        return datetime.fromtimestamp((data / BACKUP_MARK).stat().st_mtime, UTC)
    except OSError:
        return None


def _copy(database: Path, copy: Path) -> None:
    from guvercin.store.schema import is_current  # noqa: PLC0415 -- heavy, and needed only here
    from guvercin.store.sqlite import copy_database, engine_for  # noqa: PLC0415 -- as above

    is_current(engine_for(database))  # refuses a newer one
    copy_database(database, copy)


def _write(data: Path, copy: Path, whole: Path) -> int:
    count = 0
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(copy, DATABASE)
        if (data / SETTINGS).exists():
            archive.add(data / SETTINGS, SETTINGS)
        for path in sorted((data / "spool").glob("*/*")):
            name = path.relative_to(data).as_posix()
            if SPOOL_FILE.fullmatch(name):
                with contextlib.suppress(FileNotFoundError):  # its message has left meanwhile
                    archive.add(path, name)
                    count += 1
    with whole.open("rb") as written:
        os.fsync(written.fileno())
    return count
