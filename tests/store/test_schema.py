"""The schema: what migrations make is what the tables say, and a newer program's database is left alone."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError, OperationalError
from tests.rounds import rounds
from tests.store.children import child
from tests.store.driver import driver

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.store import schema
from guvercin.store.schema import HEAD, KNOWN, MIGRATIONS, prepare, version
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.tables import metadata

STARTS = Path(__file__).with_name("starting.py")


def objects(connection: Connection) -> dict[str, str]:
    """Answer the words that made each table and index, without what differs in writing alone."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {
        name: sorted_body(sql) for name, sql in rows if name != "alembic_version" and not name.startswith("sqlite_")
    }


def sorted_body(sql: str) -> str:
    """Squeeze white space, and sort the parts of a table: constraints have no order, a column added later is last."""
    apart = re.sub(r", (?=[a-z_]+ [A-Z]+)(?![^()]*\))", ",\n", sql)
    lines = [re.sub(r"\s+", " ", line).strip(" ,") for line in apart.splitlines()]
    return "\n".join(sorted(line for line in lines if line))


def dump(path: Path) -> list[str]:
    with engine_for(path).connect() as connection:
        raw: Any = connection.connection.driver_connection
        asked = ("SELECT type, name, sql FROM sqlite_master ORDER BY name", "SELECT * FROM alembic_version")
        return [str(row) for question in asked for row in raw.execute(question)]


# -- the folder and the tables


def test_the_newest_migration_is_the_one_that_the_code_knows() -> None:
    folder = ScriptDirectory(str(MIGRATIONS))
    assert folder.get_heads() == [HEAD]
    assert {script.revision for script in folder.walk_revisions()} == KNOWN


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index ix_message_turn")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_migrations_make_what_the_tables_say(folder: Path) -> None:
    """But for the indexes over expressions, which Alembic can't compare: they are compared below."""
    with engine_for(folder / FILE_NAME).connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert [(what, index.name) for what, index in found] == [
        ("remove_index", "ix_message_queue"),
        ("add_index", "ix_message_queue"),
    ]


def test_and_word_for_word(folder: Path, tmp_path: Path) -> None:
    """Checks, partial indexes and indexes over expressions are not compared above."""
    declared = engine_for(tmp_path / "declared.db", create=True)
    metadata.create_all(declared)
    with engine_for(folder / FILE_NAME).connect() as migrated, declared.connect() as made:
        assert objects(migrated) == objects(made)
        assert "ix_message_queue" in objects(made)
        assert "CONSTRAINT ck_message_sent_has_a_time" in objects(made)["message"]


# -- preparing


def test_a_folder_is_prepared_once(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with engine_for(path, create=True).connect() as connection:
        assert version(connection) is None
    assert prepare(engine_for(path, create=True)) is True
    before = dump(path)
    assert prepare(engine_for(path, create=True)) is False
    assert dump(path) == before
    with engine_for(path).connect() as connection:
        assert version(connection) == HEAD


def test_a_percent_sign_in_a_path_is_a_percent_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alembic's settings read it as the beginning of something."""
    linked = tmp_path / "100%s taşındı"
    linked.symlink_to(MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", linked)
    assert prepare(engine_for(tmp_path / FILE_NAME, create=True)) is True


def test_the_database_of_a_newer_program_is_refused_and_left_alone(folder: Path) -> None:
    path = folder / FILE_NAME
    with engine_for(path).connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999', compatible_version = '9999'"))
        connection.execute(text("CREATE TABLE from_the_future (id INTEGER)"))
        connection.commit()
    before, written = dump(path), path.read_bytes()
    with pytest.raises(GuvercinError, match=Code.SCHEMA_TOO_NEW.value) as refused:
        prepare(engine_for(path, create=True))
    assert refused.value.params == {"found": "9999", "known": HEAD}
    assert (dump(path), path.read_bytes()) == (before, written)


def test_what_is_no_database_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"bu bir veritabani degil\n" * 400)
    with pytest.raises(DatabaseError):
        prepare(engine_for(path, create=True))
    assert path.read_bytes() == b"bu bir veritabani degil\n" * 400


def test_a_database_that_cannot_be_read_now_is_not_an_empty_one(folder: Path) -> None:
    """Somebody holds it alone: migrating it as if nothing were there would be the worst answer."""
    path = folder / FILE_NAME
    hasty = create_engine("sqlite://", creator=lambda: driver.connect(str(path), timeout=0), module=driver)
    holder = driver.connect(str(path), isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(OperationalError, match="locked"), hasty.connect() as connection:
            version(connection)
    finally:
        holder.close()
        hasty.dispose()


def test_who_find_a_new_database_at_once_wait_for_each_other(tmp_path: Path) -> None:
    together = Barrier(3)

    def opened(path: Path) -> str:
        together.wait()
        with engine_for(path, create=True).connect() as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())

    with ThreadPoolExecutor(3) as crowd:
        for number in range(200):
            assert list(crowd.map(opened, [tmp_path / str(number)] * 3)) == ["wal"] * 3


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    for number in range(rounds(2, 20)):
        folder = tmp_path / str(number)
        folder.mkdir()
        starting = [child(STARTS, folder / FILE_NAME) for _ in range(3)]
        for process in starting:  # each has loaded what it needs
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in starting:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate() for process in starting]
        assert [process.returncode for process in starting] == [0, 0, 0], answers
        assert sorted(out for out, _ in answers) == ["False\n", "False\n", "True\n"]


def test_a_start_with_a_current_schema_does_not_load_the_migrations(folder: Path) -> None:
    process = child(STARTS, folder / FILE_NAME, "lazy")
    answers = process.communicate("go\n")
    assert (process.returncode, answers[0]) == (0, "ready\nFalse\nalembic is not loaded\n"), answers


# -- the last guard


GUARDS = {
    "an unknown status": "UPDATE message SET status = 'gitti'",
    "a wait of a row that is not queued": "UPDATE message SET status = 'sending', waits_for = 'zaman'",
    "sent without a time": "UPDATE message SET status = 'sent'",
    "delivered without a time": "UPDATE message SET status = 'delivered'",
    "nothing to send": "UPDATE message SET body = NULL",
    "an id twice": "UPDATE message SET remote_id = 'D-1'",
    "no such account": "UPDATE message SET account_id = 99",
    "no such token": "UPDATE message SET token_id = 99",
    "an attempt of nothing": "INSERT INTO attempt (message_id, secret, started_at) VALUES (99, x'00', 0)",
    "two defaults": "UPDATE account SET is_default = 1",
    "an unknown line": "UPDATE account SET line_state = 'belki'",
    "an unknown policy": "UPDATE account SET on_unknown = 'belki'",
    "a secret twice": "INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (x'01', '', '', 0)",
}


@pytest.fixture
def raw(folder: Path) -> Any:
    with engine_for(folder / FILE_NAME).connect() as connection:
        opened: Any = connection.connection.driver_connection
        for _ in range(2):
            opened.execute(
                "INSERT INTO account (name, kind, pace, on_unknown, line_state, line_since, created_at) "
                "VALUES ('a', 'sandbox', '{}', 'bekle', 'connected', 0, 0)"
            )
        opened.execute("INSERT INTO token (secret_hash, hint, rules, created_at) VALUES (x'01', '', '{}', 0)")
        for _ in range(2):
            opened.execute(
                "INSERT INTO message (account_id, token_id, recipient, body, category, lane, priority, status, "
                "created_at, due_at, expires_at) VALUES (1, 1, '+90', 'm', 10, 'single', 6, 'queued', 0, 0, 0)"
            )
        yield opened


@pytest.mark.parametrize("name", GUARDS)
def test_the_database_guards_what_must_never_be(raw: Any, name: str) -> None:
    with pytest.raises(driver.IntegrityError):
        raw.execute(GUARDS[name])


def test_every_status_may_be_stored(raw: Any) -> None:
    for status in Status:
        raw.execute("UPDATE message SET status = ?, sent_at = 0", (status.value,))
