"""Look at a database without serving from it: for the doctor, and before a backup is put back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from guvercin import sealing
from guvercin.core.audit import Chain
from guvercin.core.message import WaitsFor
from guvercin.store import auditing, leasing, schema
from guvercin.store.hand import by_hand
from guvercin.store.leasing import NodeStanding
from guvercin.store.sqlite import engine_for, is_unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a look at a database found.

    `damage` is SQLite's own word, or why a server can't be used; null: all is sound. `server` is a server's version.
    `version` is the migration it stands at; null: not ours, or empty. `is_known`: this program can open it;
    `is_current`: without changing it; `is_newer`: a newer program has been there, and says that this one may go on.
    `held` and `unknown` count the rows that wait for their owner. `chain`: the audit; `lost_refusals`: those of people
    who were forgotten, if the key by which they would be known again is not there. `nodes`: the gateways of a server.
    """

    damage: str | None
    version: str | None = None
    is_known: bool = False
    is_current: bool = False
    is_newer: bool = False
    held: int = 0
    unknown: int = 0
    chain: Chain | None = None
    lost_refusals: int = 0
    server: str | None = None
    nodes: Sequence[NodeStanding] = ()


def examine(path: Path) -> Checkup:
    """Check a database that is there, through a connection that can't write. A server may run on it meanwhile."""
    try:
        with engine_for(path, query_only=True).connect() as connection:
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
            if found != "ok":
                return Checkup(damage=found)
            return _of(connection, path.parent)
    except Exception as trouble:
        if is_unavailable(trouble):
            return Checkup(damage=str(trouble.__cause__ or trouble))
        raise


def examine_server(url: str, folder: Path) -> Checkup:
    """Look at a database of PostgreSQL, through a session that can't write. A gateway may run on it meanwhile."""
    from guvercin.store import postgres  # noqa: PLC0415 -- an extra

    try:
        with postgres.engine_for(url, query_only=True).connect() as connection:
            row = by_hand(connection).execute("SELECT current_setting('server_version')").fetchone()
            found = replace(_of(connection, folder), server=str(row[0]).split(" ", maxsplit=1)[0])
            return replace(found, nodes=leasing.nodes(connection)) if found.is_current else found
    except Exception as trouble:
        if postgres.is_unavailable(trouble):
            return Checkup(damage=str(getattr(trouble, "orig", trouble)))
        raise


def _of(connection: Connection, folder: Path) -> Checkup:
    version = schema.version(connection)
    is_newer = version is not None and version not in schema.KNOWN
    is_current = schema.can_run(version, schema.compatible_version(connection) if is_newer else None)
    if not is_current and version not in schema.KNOWN:
        return Checkup(damage=None, version=version)
    has_key = (folder / sealing.NAME).exists()
    ask = by_hand(connection).execute
    hidden = "SELECT count(*) FROM opt_out WHERE phone LIKE 'gizli:%' AND ended_at IS NULL"
    held = "SELECT count(*) FROM message WHERE status = 'queued' AND waits_for = ?"
    return Checkup(
        damage=None,
        version=version,
        is_known=True,
        is_current=is_current,
        is_newer=is_newer,
        held=ask(held, (WaitsFor.RESTORED.value,)).fetchone()[0],
        unknown=ask("SELECT count(*) FROM message WHERE status = 'unknown'").fetchone()[0],
        chain=auditing.verify(connection) if is_current else None,
        lost_refusals=ask(hidden).fetchone()[0] if is_current and not has_key else 0,
    )
