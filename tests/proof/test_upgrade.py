"""From every released schema to this one with each row intact; and no program touches a schema that isn't its own.

`schemas/` holds the rows of one database of each released schema as SQL text, of every kind; the migrations up to there
make the tables. A release whose schema is a new one adds its own file; none is ever edited.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from tests.cli.running import Guvercin
from tests.e2e.server import Server
from tests.proof.newer import NEWER, newer_program

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import FINISHED
from guvercin.store.schema import HEAD, KNOWN, MIGRATIONS, demand_own, prepare, version
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore

SCHEMAS = sorted(Path(__file__).with_name("schemas").glob("*.sql"))

Rows = Mapping[str, list[dict[str, Any]]]

# What 0001 knew: later versions may know more.
KINDS_OF_0001 = {
    "SELECT DISTINCT status FROM message": {
        *("queued", "sending", "unknown", "sent", "delivered", "read", "failed", "cancelled"),
    },
    "SELECT DISTINCT waits_for FROM message": {None, "zaman", "tekrar_deneme", "onceki_mesaj", "geri_yuklendi"},
    "SELECT DISTINCT lane FROM message": {"single", "bulk"},
    "SELECT DISTINCT line_state FROM account": {
        *("stopped", "connecting", "pairing", "connected", "waiting", "banned", "logged_out", "blocked"),
    },
    "SELECT DISTINCT on_unknown FROM account": {"bekle", "vazgec", "yeniden_gonder"},
    "SELECT DISTINCT revoked_at IS NULL FROM token": {0, 1},
    "SELECT DISTINCT file_digest IS NULL FROM message": {0, 1},
    "SELECT DISTINCT resend_of IS NULL FROM message": {0, 1},
}


@pytest.fixture(params=SCHEMAS, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Lend a data folder with the database of a released version."""
    folder = tmp_path / "veri"
    folder.mkdir(mode=0o700)
    revive(request.param, folder / FILE_NAME)
    return folder


def revive(text: Path, database: Path) -> None:
    """Make the schema of that time, by the migrations up to it, and put the rows of that time into it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine_for(database, create=True).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, text.stem)
        connection.commit()
        raw: Any = connection.connection.driver_connection
        raw.executescript(text.read_text("utf-8"))
    assert schema_of(database) == text.stem


def tables(connection: Connection) -> Iterator[str]:
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    yield from (name for (name,) in found.all() if name not in {"alembic_version", "sqlite_stat1"})


def rows(database: Path) -> Rows:
    with engine_for(database, query_only=True).connect() as connection:
        return {table: sorted(map(dict, select(connection, table)), key=repr) for table in tables(connection)}


def select(connection: Connection, table: str) -> Iterable[Any]:
    return connection.execute(sa.select(sa.text("*")).select_from(sa.table(table))).mappings()


def schema_of(database: Path) -> str | None:
    with engine_for(database, query_only=True).connect() as connection:
        return version(connection)


def assert_intact(before: Rows, after: Rows) -> None:
    """Hold that every value of every row is where it was; new tables and new columns are welcome."""
    for table, old_rows in before.items():
        names = old_rows[0].keys() if old_rows else ()
        kept = sorted(({name: row[name] for name in names} for row in after[table]), key=repr)
        assert kept == old_rows, f"rows of {table} were changed"


def test_every_released_schema_is_kept_here() -> None:
    assert {path.stem for path in SCHEMAS} <= KNOWN
    assert SCHEMAS[0].stem == "0001"


def test_it_has_rows_of_every_kind(tmp_path: Path) -> None:
    revive(SCHEMAS[0], tmp_path / FILE_NAME)
    with engine_for(tmp_path / FILE_NAME).connect() as connection:
        for question, kinds in KINDS_OF_0001.items():
            assert {value for (value,) in connection.exec_driver_sql(question)} == kinds, question
    assert [table for table, found in rows(tmp_path / FILE_NAME).items() if not found] == []


async def test_each_row_comes_through_the_upgrade(old: Path) -> None:
    database = old / FILE_NAME
    before = rows(database)
    prepare(engine_for(database))
    assert schema_of(database) == HEAD
    assert_intact(before, rows(database))
    with engine_for(database).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []

    # And this program understands each of them.
    store = SqliteStore(old)
    await store.open()
    try:
        for row in before["message"]:
            message = await store.message(row["id"])
            assert message is not None
            assert (message.status, message.recipient) == (row["status"], row["recipient"])
            await store.attempts(row["id"])
            await store.events(row["id"])
        for row in before["batch"]:
            found = await store.batch(row["id"])
            assert found is not None
            assert found.batch.total == row["total"]
        assert [account.name for account in await store.accounts()] == [row["name"] for row in by_id(before, "account")]
        assert [token.hint for token in await store.tokens()] == [row["hint"] for row in by_id(before, "token")]
        for row in before["upload"]:
            assert await store.upload(row["id"]) is not None
        for row in before["batch_draft"]:
            assert await store.draft(row["id"]) is not None
    finally:
        await store.close()


def by_id(found: Rows, table: str) -> list[dict[str, Any]]:
    return sorted(found[table], key=lambda row: int(row["id"]))


@pytest.mark.e2e
def test_a_server_starts_on_it_and_knows_every_record(old: Path) -> None:
    before = rows(old / FILE_NAME)
    with Server(old) as server:
        server.start()
        client = server.client(server.token())
        for row in before["message"]:
            answer = client.get(f"/durum/{row['id']}")
            assert answer.status == 200, answer.text
            # What was over is as it was; what was not goes on. A receipt that came late may still add to it.
            if row["status"] in FINISHED - {"sent", "delivered"}:
                assert answer.json["data"]["durum"] == row["status"]
        for row in before["batch"]:
            assert client.get(f"/toplu/{row['id']}").json["data"]["total"] == row["total"]
        lights = {it["ad"]: it["durum"] for it in server.told("doktor")["data"]}
        assert lights["veritabani"] == "yesil"


# -- two versions of the program on one folder


VERBS = (
    ("anahtar", "uret", "--ad", "yeni"),
    ("durum",),
    ("kayit",),
    ("gonder", "+905000000001", "Merhaba", "--bekle", "0"),
)
"""One of each way to the database: straight, only looking, and through the API to read or to send."""


@pytest.mark.e2e
def test_a_newer_program_migrates_nothing_under_an_older_server(tmp_path: Path) -> None:
    tomorrow = newer_program(tmp_path / "tomorrow")
    with Server(tmp_path / "veri") as server:
        server.start()
        database = server.folder / FILE_NAME
        client = server.client(server.first_token())
        first = client.post("/gonder", {"telefon": "+905000000001", "mesaj": "Önce"}).json["log_id"]

        for verb, lang in zip(VERBS, ("en", "en", "tr", "en"), strict=True):
            done = server.cli(*verb, PYTHONPATH=tomorrow, GUVERCIN_LANG=lang)
            assert done.returncode == 1, (verb, done.stdout)
            assert done.stderr == REFUSED[lang].format(url=server.url, pid=server.process and server.process.pid), verb

        # Looking and copying change nothing, so they work: a backup before an update is the one that matters.
        doctor = server.cli("doktor", "--json", PYTHONPATH=tomorrow)
        assert doctor.returncode == 0, doctor.stderr
        found = {it["ad"]: it for it in json.loads(doctor.stdout)["data"]}["veritabani"]
        assert (found["durum"], HEAD in found["bulgu"]) == ("sari", True)
        copied = server.cli("yedek", str(tmp_path / "before.tar"), PYTHONPATH=tomorrow)
        assert copied.returncode == 0, copied.stderr
        assert schema_of(database) == HEAD
        client = server.client(server.first_token())  # the first line has stood idle and may be closed
        second = client.post("/gonder", {"telefon": "+905000000001", "mesaj": "Sonra"}).json["log_id"]
        server.stop()

    # The start of a server is the moment for it.
    with Server(server.folder.rename(tmp_path / "moved"), PYTHONPATH=tomorrow) as newer:
        newer.start()
        client = newer.client(newer.first_token())
        assert [row["id"] for row in client.pages()] == [second, first]
        newer.stop()
        assert schema_of(newer.folder / FILE_NAME) == NEWER

    # And the backup from before goes back under the older program.
    other = Guvercin(tmp_path / "other")
    other("geri-yukle", str(tmp_path / "before.tar"))
    assert schema_of(other.data_dir / FILE_NAME) == HEAD
    assert [row["id"] for row in other("kayit", "--json").json["data"]] == [first]


REFUSED = {
    "en": "Error: The server that runs here is older than this program: {url}\n"
    "Remedy: Stop it (process {pid}) and start it with this version: guvercin baslat\n",
    "tr": "Hata: Burada çalışan sunucu bu programdan eski: {url}\n"
    "Çözüm: Onu durdurun (süreç {pid}) ve bu sürümle başlatın: guvercin baslat\n",
}


@pytest.fixture
def tomorrows(tmp_path: Path, guvercin: Guvercin) -> Path:
    """Lend the database of a data folder that the newer program has migrated, so that ours can't run on it."""
    return migrated_by(newer_program(tmp_path / "tomorrow"), guvercin)


def migrated_by(program: str, guvercin: Guvercin) -> Path:
    """Let a newer program migrate a data folder; answers its database."""
    guvercin("anahtar", "uret")
    database = guvercin.data_dir / FILE_NAME
    migrate = (
        "from pathlib import Path; from guvercin.store import schema, sqlite; "
        f"schema.prepare(sqlite.engine_for(Path({str(database)!r})))"
    )
    newer = {**os.environ, "PYTHONPATH": program}
    subprocess.run([sys.executable, "-c", migrate], env=newer, check=True)
    assert schema_of(database) == NEWER
    return database


def test_an_older_program_refuses_a_newer_database_in_words(
    tomorrows: Path, guvercin: Guvercin, tmp_path: Path
) -> None:
    before, written = rows(tomorrows), tomorrows.read_bytes()
    copy = tmp_path / "y.tar"
    for verb in (*VERBS, ("anahtar", "liste"), ("anahtar", "iptal", "1"), ("yedek", str(copy)), ("baslat",)):
        done = guvercin(*verb, code=1)
        assert done.err == (
            "Error: A newer Güvercin has written this database; this one does not open it.\n"
            "Remedy: Start the newer version again, or go back to a backup from before the update.\n"
        ), verb
    guvercin.lang = "tr"
    assert guvercin("durum", code=1).err.startswith("Hata: Bu veritabanını daha yeni bir Güvercin yazmış")
    doctor = guvercin("doktor", "--json", code=1)
    assert {it["ad"]: it["durum"] for it in doctor.json["data"]}["veritabani"] == "kirmizi"
    assert not copy.exists()
    assert (rows(tomorrows), tomorrows.read_bytes()) == (before, written)


@pytest.mark.e2e
def test_an_older_program_goes_back_to_a_database_that_was_only_expanded(guvercin: Guvercin, tmp_path: Path) -> None:
    database = migrated_by(newer_program(tmp_path / "tomorrow", expands=True), guvercin)
    for verb in (*VERBS, ("anahtar", "liste"), ("yedek", str(tmp_path / "y.tar"))):
        guvercin(*verb)
    with Server(guvercin.data_dir) as server:
        server.start()
        client = server.client(server.token())
        sent = client.post("/gonder", {"telefon": "+905000000001", "mesaj": "Geri döndük"}, Prefer="wait=5")
        assert sent.json["ok"], sent.text
        found = {it["ad"]: it for it in server.told("doktor")["data"]}["veritabani"]
        assert (found["durum"], NEWER in found["bulgu"]) == ("sari", True)
        server.stop()
    guvercin("geri-yukle", str(tmp_path / "y.tar"))
    assert schema_of(database) == NEWER

    # What copies everything has to know everything: `guvercin tasi` asks for that.
    with pytest.raises(GuvercinError, match=Code.SCHEMA_TOO_NEW.value):
        demand_own(engine_for(database))


def test_an_older_program_takes_no_newer_backup(tomorrows: Path, tmp_path: Path) -> None:
    backup = tmp_path / "newer.tar"
    with tarfile.open(backup, "w") as archive:
        archive.add(tomorrows, FILE_NAME)
    other = Guvercin(tmp_path / "other")
    other("anahtar", "uret")
    before = rows(other.data_dir / FILE_NAME)
    assert other("geri-yukle", str(backup), code=1).err == (
        f"Error: A newer Güvercin has written this backup (schema {NEWER}).\n"
        "Remedy: Install that version, then put it back. Nothing was changed.\n"
    )
    assert rows(other.data_dir / FILE_NAME) == before
