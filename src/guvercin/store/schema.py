"""Bring a database to the schema that this code knows, and refuse one that is newer and not for us any more.

Migrations expand or contract (migrations/__init__.py has the rules). The database names the oldest schema whose
programs can run on it: a newer one whose `compatible_version` we know is used as it stands.

Alembic is loaded only when there is something to migrate: a start with a current schema asks one question.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from guvercin.core.errors import Code, GuvercinError
from guvercin.store.lock import LOCKS, MIGRATION, DatabaseHeld, DatabaseOwned
from guvercin.store.sqlite import is_busy

HEAD = "0020"
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

_PATIENCE = 6
"""Times that a database which somebody else holds is asked again."""

_TRIES = 60
"""Times that migrations are begun beside running gateways; a second each at the most."""

_HELD = {"55P03", "40P01"}
"""A lock that was not had in time, a deadlock."""

_TOO_LONG = {"57014", "25P03"}
"""A statement that took too long, a transaction that stood still."""


class _Held(Exception):  # noqa: N818 -- nobody else hears of it
    """Gateways that run, or somebody who reads for long, had a table."""


def version(connection: Connection) -> str | None:
    """Answer the migration that a database stands at; null for an empty one."""
    # Asked first: «no such table» and «locked» are one class of error, and a locked database is not an empty one.
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).one_or_none()
    return None if row is None else str(row[0])


def compatible_version(connection: Connection) -> str | None:
    """Answer the oldest schema whose programs can run on a database; null: it doesn't say."""
    if "compatible_version" not in {each["name"] for each in inspect(connection).get_columns("alembic_version")}:
        return None
    found = connection.execute(text("SELECT compatible_version FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def can_run(found: str | None, compatible: str | None) -> bool:
    """Say whether this program can run on a database at `found` without changing it."""
    return found == HEAD or (found is not None and found not in KNOWN and compatible in KNOWN)


def prepare(engine: Engine, *, beside: bool = False) -> bool:
    """Migrate to HEAD if needed; answers whether anything was done. SCHEMA_TOO_NEW if a newer program was here.

    A newer schema that we can run on stays as it is. DatabaseOwned: gateways run on the server that couldn't live with
    what has to be done, and have to be stopped first, or not `beside`: whoever isn't going to be a gateway changes
    nothing under those that are. DatabaseHeld: they could, but it could not be done beside them.

    The caller holds the data folder's lock: a server that runs must never find another schema under it. A database that
    somebody else holds is waited for, five seconds each time.
    """
    busy = held = 0
    while True:
        try:
            return _prepare(engine, beside=beside)
        except _Held as trouble:
            held += 1
            if held == _TRIES:
                raise DatabaseHeld from trouble.__cause__
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT pg_sleep(0.3)")  # whoever waits behind us gets on
        except Exception as trouble:
            busy += 1
            if busy > _PATIENCE or not is_busy(trouble):
                raise


def _prepare(engine: Engine, *, beside: bool) -> bool:
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
        from guvercin.store.migrating import Upgrade  # noqa: PLC0415 -- heavy, and needed only here

        upgrade = Upgrade(str(MIGRATIONS), version(connection), HEAD)
        is_shared = connection.dialect.name == "postgresql" and upgrade.make_room(connection, KNOWN)
        if is_shared and not beside:
            raise DatabaseOwned
        try:
            upgrade.run(connection, is_shared=is_shared)
            connection.commit()
        except Exception as trouble:
            state = getattr(getattr(trouble, "orig", None), "sqlstate", None) if is_shared else None
            if state in _HELD:
                raise _Held from trouble
            if state in _TOO_LONG:
                raise DatabaseHeld from trouble
            raise
        return True


def is_current(engine: Engine) -> bool:
    """Say whether a database that is there can be used as it stands. Changes nothing; SCHEMA_TOO_NEW as `prepare`."""
    with engine.connect() as connection:
        return _is_current(connection)


def demand_own(engine: Engine) -> None:
    """Refuse a database that stands elsewhere than at HEAD, though we could run on it: SCHEMA_TOO_NEW.

    Whoever copies all that there is has to know all of it.
    """
    with engine.connect() as connection:
        found = version(connection)
    if found != HEAD:
        raise GuvercinError(Code.SCHEMA_TOO_NEW, params={"found": str(found), "known": HEAD})


def _is_current(connection: Connection) -> bool:
    found = version(connection)
    if found is None or found in KNOWN:
        return found == HEAD
    if can_run(found, compatible_version(connection)):
        return True
    raise GuvercinError(Code.SCHEMA_TOO_NEW, params={"found": found, "known": HEAD})
