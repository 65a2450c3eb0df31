"""Look at a database file without serving from it: for the doctor, and before a backup is put back."""

from dataclasses import dataclass
from pathlib import Path

from guvercin import sealing
from guvercin.core.audit import Chain
from guvercin.core.message import WaitsFor
from guvercin.store import auditing, schema
from guvercin.store.sqlite import engine_for, is_unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a look at a database found.

    `damage` is SQLite's own word, null for a sound file. `version` is the migration it stands at; null: not ours, or
    empty. `is_known`: this program can open it; `is_current`: without changing it.
    `held` and `unknown` count the rows that wait for their owner. `chain`: the audit; `lost_refusals`: those of people
    who were forgotten, if the key by which they would be known again is not there.
    """

    damage: str | None
    version: str | None = None
    is_known: bool = False
    is_current: bool = False
    held: int = 0
    unknown: int = 0
    chain: Chain | None = None
    lost_refusals: int = 0


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
            is_current = version == schema.HEAD
            has_key = (path.parent / sealing.NAME).exists()
            hidden = "SELECT count(*) FROM opt_out WHERE phone LIKE 'gizli:%' AND ended_at IS NULL"
            held = "SELECT count(*) FROM message WHERE status = 'queued' AND waits_for = ?"
            return Checkup(
                damage=None,
                version=version,
                is_known=True,
                is_current=is_current,
                held=connection.exec_driver_sql(held, (WaitsFor.RESTORED,)).scalar_one(),
                unknown=connection.exec_driver_sql(
                    "SELECT count(*) FROM message WHERE status = 'unknown'"
                ).scalar_one(),
                chain=auditing.verify(connection) if is_current else None,
                lost_refusals=connection.exec_driver_sql(hidden).scalar_one() if is_current and not has_key else 0,
            )
    except Exception as trouble:
        if is_unavailable(trouble):
            return Checkup(damage=str(trouble.__cause__ or trouble))
        raise
