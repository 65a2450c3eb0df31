"""Migrations beside gateways that run: which are allowed, and that nobody waits long behind one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from tests.contracts.desk import Desk
from tests.proof.newer import EXPANDING, migration
from tests.store.server import Server

from guvercin.store.lock import GATEWAY, LOCKS, SCHEMAS, DatabaseOwned
from guvercin.store.migrating import FIRST, Upgrade, compatible_version_after
from guvercin.store.schema import HEAD, KNOWN, MIGRATIONS, compatible_version, prepare, version

if TYPE_CHECKING:
    from guvercin.store.postgres_store import PostgresStore

ALL = KNOWN | {"9998", "9999"}
LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


def test_every_migration_says_which_programs_can_run_on_it() -> None:
    """Never an older one than the step before: what can't run there can't run later either."""
    steps = {step.revision: step.module for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    said = {revision: module.compatible_version for revision, module in sorted(steps.items()) if revision >= FIRST}
    assert list(said.values()) == sorted(said.values()), said
    assert all(FIRST <= compatible <= revision and compatible in KNOWN for revision, compatible in said.items()), said


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Lend the history of a later program: 9998 expands, 9999 drops what programs of 9998 don't use any more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    versions = folder / "versions"
    (versions / "9998_expands.py").write_text(migration("9998", HEAD, compatible=said(), statements=EXPANDING))
    drops = ("ALTER TABLE message DROP COLUMN from_the_future",)
    (versions / "9999_contracts.py").write_text(migration("9999", "9998", compatible="9998", statements=drops))
    return folder


def said() -> str:
    """Answer what the newest migration says."""
    return compatible_version_after(ScriptDirectory(str(MIGRATIONS)), None, HEAD)


def test_what_says_nothing_counts_as_what_nothing_older_can_live_with(history: Path) -> None:
    path = history / "versions" / "9999_contracts.py"
    path.write_text(path.read_text().replace("compatible_version", "silence"))
    assert compatible_version_after(ScriptDirectory(str(history)), HEAD, "9998") == said()
    assert compatible_version_after(ScriptDirectory(str(history)), HEAD, "9999") == "9999"


@pytest.fixture
def fresh(server: Server, request: pytest.FixtureRequest) -> str:
    """Answer the address of a database of today."""
    from guvercin.store.postgres import engine_for

    name = f"m{abs(hash(request.node.name))}"
    server.create(name)
    prepare(engine_for(server.url(name)))
    return server.url(name)


@pytest.fixture
async def gateway(fresh: str, tmp_path: Path) -> "PostgresStore":
    from guvercin.store.postgres_store import PostgresStore

    opened = PostgresStore(fresh, tmp_path)
    await opened.open()
    return opened


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    from guvercin.store.postgres import engine_for

    with engine_for(url).connect() as connection:
        connection.execution_options(isolation_level="READ COMMITTED")
        yield connection


async def test_what_expands_is_done_under_a_gateway_that_goes_on(
    gateway: "PostgresStore", fresh: str, history: Path
) -> None:
    desk = await Desk(gateway).furnish()
    first = await desk.accept()
    assert await gateway.message(first) is not None
    with migrating(fresh) as connection:
        upgrade = Upgrade(str(history), HEAD, "9998")
        assert upgrade.make_room(connection, ALL) is True
        upgrade.run(connection, is_shared=True)
        connection.commit()
        assert (version(connection), compatible_version(connection)) == ("9998", said())
    assert await gateway.message(first) is not None
    assert await desk.accept() == first + 1  # over the session that it had, with the statements that it had prepared
    await gateway.close()
    await gateway.open()
    assert await desk.accept() == first + 2
    await gateway.close()


async def test_what_contracts_waits_for_gateways_that_know_too_little(
    gateway: "PostgresStore", fresh: str, history: Path
) -> None:
    with migrating(fresh) as connection, migrating(fresh) as another:
        with pytest.raises(DatabaseOwned):
            Upgrade(str(history), HEAD, "9999").make_room(connection, ALL)
        connection.rollback()
        await gateway.close()
        assert Upgrade(str(history), HEAD, "9999").make_room(connection, ALL) is False
        connection.rollback()
        # A gateway of 9998 can live with it, whoever else has left.
        for kind, which in ((LOCKS, GATEWAY), (SCHEMAS, 9998)):
            another.exec_driver_sql("SELECT pg_advisory_lock_shared(%s, %s)", (kind, which))
        assert Upgrade(str(history), HEAD, "9999").make_room(connection, ALL) is True


async def test_one_that_has_to_wait_for_a_table_gives_up_before_others_feel_it(
    gateway: "PostgresStore", fresh: str, history: Path
) -> None:
    desk = await Desk(gateway).furnish()
    with migrating(fresh) as connection, migrating(fresh) as reader:
        reader.exec_driver_sql("SELECT 1 FROM message LIMIT 1").all()
        upgrade = Upgrade(str(history), HEAD, "9998")
        assert upgrade.make_room(connection, ALL)
        limits = [connection.exec_driver_sql(f"SHOW {each}").scalar_one() for each in LIMITS]
        assert limits == ["400ms", "15s", "5s"], "nobody waits long behind it"
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade.run(connection, is_shared=True)
        connection.rollback()
        assert await desk.accept() == 1
        reader.rollback()
        upgrade = Upgrade(str(history), HEAD, "9998")
        assert upgrade.make_room(connection, ALL)
        upgrade.run(connection, is_shared=True)
        connection.commit()
        assert version(connection) == "9998"
    assert await desk.accept() == 2
    await gateway.close()
