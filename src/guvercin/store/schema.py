"""Bring a database to the schema that this code knows, and refuse one that is newer.

Alembic is loaded only when there is something to migrate: a start with a current schema asks one question.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from guvercin.core.errors import Code, GuvercinError
from guvercin.store.lock import GATEWAY, LOCKS, MIGRATION, DatabaseOwned
from guvercin.store.sqlite import is_busy

HEAD = "0018"
"""The newest migration. A test compares it with the folder."""

KNOWN = frozenset(f"{number:04}" for number in range(1, int(HEAD) + 1))
"""Every migration that this code can start from."""

MIGRATIONS = Path(__file__).with_name("migrations")

_ALONE = {
    "sqlite": ("BEGIN EXCLUSIVE",),
    "postgresql": (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",  # tools are loaded in between
        "SET LOCAL lock_timeout = '60s'",
        f"SELECT pg_advisory_xact_lock({LOCKS}, {MIGRATION})",
    ),
}

_NO_GATEWAY = f"SELECT pg_try_advisory_xact_lock({LOCKS}, {GATEWAY})"

_PATIENCE = 6
"""Times that a database which somebody else holds is asked again."""


def version(connection: Connection) -> str | None:
    """Answer the migration that a database stands at; null for an empty one."""
    # Asked first: «no such table» and «locked» are one class of error, and a locked database is not an empty one.
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).one_or_none()
    return None if row is None else str(row[0])


def prepare(engine: Engine) -> bool:
    """Migrate to HEAD if needed; answers whether anything was done. SCHEMA_TOO_NEW if a newer program was here.

    DatabaseOwned: gateways of an older version run on the server, and have to be stopped first.

    The caller holds the data folder's lock: a server that runs must never find another schema under it. A database that
    somebody else holds is waited for, five seconds each time.
    """
    for _ in range(_PATIENCE):
        try:
            return _prepare(engine)
        except Exception as trouble:
            if not is_busy(trouble):
                raise
    return _prepare(engine)


def _prepare(engine: Engine) -> bool:
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # all of it in one transaction; the store's own begin by hand
            connection.execution_options(isolation_level="READ COMMITTED")
        if _is_current(connection):
            return False
        # One writer: two processes that start together must not both migrate. Who comes second finds it done.
        for statement in _ALONE[connection.dialect.name]:
            connection.exec_driver_sql(statement)
        if _is_current(connection):
            return False
        if connection.dialect.name == "postgresql" and not connection.exec_driver_sql(_NO_GATEWAY).scalar_one():
            raise DatabaseOwned  # no gateway may find another schema under it
        from alembic import command  # noqa: PLC0415 -- heavy, and needed only here
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
        connection.commit()
        return True


def is_current(engine: Engine) -> bool:
    """Say whether a database that is there stands at HEAD. Changes nothing; SCHEMA_TOO_NEW as `prepare`."""
    with engine.connect() as connection:
        return _is_current(connection)


def _is_current(connection: Connection) -> bool:
    found = version(connection)
    if found is not None and found not in KNOWN:
        raise GuvercinError(Code.SCHEMA_TOO_NEW, params={"found": found, "known": HEAD})
    return found == HEAD
