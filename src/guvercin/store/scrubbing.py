"""What a database file keeps of rows that are gone, and how it is taken out.

`secure_delete` overwrites what a row leaves behind, and a checkpoint that cuts the journal off takes what stands there.
What may still be left are bytes that SQLite has moved about inside its pages, and those go when the whole file is
written anew: a small one at once, a large one by night, since nothing else can be written meanwhile.
"""

from datetime import datetime
from pathlib import Path

from guvercin.store.hand import by_hand
from guvercin.store.sqlite import engine_for, is_busy
from guvercin.store.times import to_ms
from guvercin.store.writer import Tx

SMALL = 64 * 1024 * 1024
"""Bytes of a file that is written anew while somebody waits: a third of a second."""

_TRIES = 5
_MARK = "kalinti"


def scrub(path: Path) -> bool:
    """Take what was forgotten out of journal and file; says whether the file is too large for it now. Blocks."""
    if path.stat().st_size > SMALL:
        cut_off(path)
        return True
    compact(path)
    return False


def cut_off(path: Path) -> bool:
    """Write the journal into the file and cut it off; says whether readers let us."""
    for _ in range(_TRIES):
        with engine_for(path).connect() as connection:
            if by_hand(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return True
    return False


def compact(path: Path) -> None:
    """Write the whole file anew, so that it has no unused space. Whoever writes meanwhile waits."""
    for _ in range(_TRIES):
        with engine_for(path).connect() as connection:
            try:
                by_hand(connection).execute("VACUUM")
            except Exception as trouble:
                if not is_busy(trouble):
                    raise
                continue
            break
    cut_off(path)


def remember(tx: Tx, *, now: datetime) -> None:
    """Note that the file has to be written anew by night."""
    tx.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_MARK, str(to_ms(now))),
    )


def is_noted(tx: Tx) -> bool:
    """Say whether the file has to be written anew."""
    return tx.execute("SELECT 1 FROM setting WHERE name = ?", (_MARK,)).fetchone() is not None


def done(tx: Tx) -> None:
    """Note that it was."""
    tx.execute("DELETE FROM setting WHERE name = ?", (_MARK,))
