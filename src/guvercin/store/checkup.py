"""Look at a database file without serving from it: for the doctor, and before a backup is put back."""

from dataclasses import dataclass
from pathlib import Path

from guvercin.core.message import WaitsFor
from guvercin.store import schema
from guvercin.store.sqlite import engine_for, is_unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a look at a database found.

    `damage` is SQLite's own word, null for a sound file. `version` is the migration it stands at; null: not ours, or
    empty. `is_known`: this program can open it; `is_current`: without changing it.
    `held` and `unknown` count the rows that wait for their owner.
    """

    damage: str | None
    version: str | None = None
    is_known: bool = False
    is_current: bool = False
    held: int = 0
    unknown: int = 0


def examine(path: Path) -> Checkup:
    """Check a database that is there, through a connection that can't write. A server may run on it meanwhile."""
    try:
        with engine_for(path, query_only=True).connect() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
            if found != "ok":
                return Checkup(damage=found)
            version = schema.version(connection)
            if version not in schema.KNOWN:
                return Checkup(damage=None, version=version)
            held = "SELECT count(*) FROM message WHERE status = 'queued' AND waits_for = ?"
            return Checkup(
                damage=None,
                version=version,
                is_known=True,
                is_current=version == schema.HEAD,
                held=connection.exec_driver_sql(held, (WaitsFor.RESTORED,)).scalar_one(),
                unknown=connection.exec_driver_sql(
                    "SELECT count(*) FROM message WHERE status = 'unknown'"
                ).scalar_one(),
            )
    except Exception as trouble:
        if is_unavailable(trouble):
            return Checkup(damage=str(trouble.__cause__ or trouble))
        raise
