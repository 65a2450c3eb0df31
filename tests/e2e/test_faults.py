"""What is broken under the server: it says so before it promises anything, sends nothing then, and recovers by itself.

The faults are real ones. A full disk is a limit on the size of files (RLIMIT_FSIZE) everywhere, and a full tmpfs where
the machine lets us mount one.
"""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.e2e.server import Client, Gone, Server

from guvercin.store.sqlite import engine_for
from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e

LINE = 15
"""Messages in line when the fault comes: three seconds of work."""

DROP_OVERRIDE = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""
WITHOUT_OVERRIDE = (sys.executable, "-c", DROP_OVERRIDE)
"""Runs a command so that the rights of files count for root too. For anybody else it changes nothing."""

NO_ROOM = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
os.execv(sys.argv[1], sys.argv[1:])
"""
ON_FULL_DISK = (sys.executable, "-c", NO_ROOM)
"""Runs a command that can't write to any file."""


# -- the faults


@contextmanager
def tmpfs(folder: Path) -> Iterator[None]:
    """Mount a small disk, with room for the journal (4 MB before it is written back).

    CalledProcessError where that is not ours to do.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(folder)], check=True, capture_output=True
    )
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True, capture_output=True)


def may_mount() -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder, tmpfs(Path(folder)):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def everything_full(server: Server) -> Iterator[None]:
    """No file of the server grows, its log neither."""
    server.limit_files(0)
    yield
    server.limit_files(-1)


@contextmanager
def database_full(server: Server) -> Iterator[None]:
    """The database and its journal don't grow; what is small may."""
    server.limit_files(20_000)
    yield
    server.limit_files(-1)


@contextmanager
def disk_full(server: Server) -> Iterator[None]:
    """Every last byte of the disk is taken, until it is given back."""
    ballast = server.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    yield
    ballast.unlink()


@contextmanager
def database_gone(server: Server) -> Iterator[None]:
    """Somebody moves the file away, and back."""
    database = server.folder / "guvercin.db"
    away = database.rename(server.folder / "away")
    yield
    away.rename(database)


Fault: TypeAlias = Callable[[Server], AbstractContextManager[None]]
FAULTS: list[Fault] = [everything_full, database_full, database_gone, *([disk_full] if may_mount() else [])]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_before_anything_is_promised(server: Server, fault: Fault) -> None:
    with tmpfs(server.folder) if fault is disk_full else nullcontext(), server:
        server.start()
        client = server.client(server.first_token(), timeout=10)
        numbers = [f"+9053212345{place:02}" for place in range(LINE)]
        many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": "Sırada"}
        toplu_id = client.post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"]
        server.until(lambda: len(arrivals(server.arrivals)) >= 3, within=10, what="the first messages")

        with fault(server):
            refused(client, "Arıza")
            before = len(arrivals(server.arrivals))
            server.until(lambda: is_unready(client), within=5, what="the news that nothing can be accepted")
            for place in range(5):
                refused(client, f"Arıza {place}")
            assert client.get(f"/toplu/{toplu_id}").status == 200, "who only reads is served"
            server.live(1.5)
            assert len(arrivals(server.arrivals)) == before, "something was sent that could not be written down"

        server.until(server.is_ready, within=10, what="readiness")
        assert client.post("/gonder", {"telefon": "+905321234598", "mesaj": "Düzeldi"}).status == 200

        def is_finished() -> bool:
            return bool(client.get(f"/toplu/{toplu_id}").json["data"]["durum"] == "finished")

        server.until(is_finished, within=30, what="the end of the batch")
        assert sorted(it.number for it in arrivals(server.arrivals)) == sorted([*numbers, "+905321234598"])
        assert len(client.pages()) == LINE + 1, "the log holds a message that was refused"
        assert server.stop() == 0
        assert "Traceback" not in server.said("err")


def is_unready(client: Client) -> bool:
    """Say whether the server tells that it can't accept; it finds out once a second."""
    ready = client.ask("GET", "/hazir")
    return (ready.status, ready.code) == (503, "kayit_yapilamadi")


def refused(client: Client, text: str) -> None:
    """Ask for a single and for a batch, which must both be refused for now."""
    to = {"telefon": "+905321234599"}
    for path, body in (("/gonder", to), ("/toplu-gonder", {"alicilar": [to]})):
        answer = client.post(path, {**body, "mesaj": text})
        assert (answer.status, answer.code) == (503, "kayit_yapilamadi"), answer.text
        assert int(answer.headers["Retry-After"]) > 0


def test_it_ends_in_order_on_a_full_disk(server: Server) -> None:
    server.start()
    client = server.client(server.first_token())
    promised = client.post("/gonder", {"telefon": "+905321234567", "mesaj": "Önce"}).json["log_id"]
    server.limit_files(20_000)
    refused(client, "Arıza")
    assert server.stop() == 0
    server.start()
    client = server.client(server.first_token())
    assert client.get(f"/durum/{promised}").json["data"]["durum"] in {"sent", "delivered", "read"}


def test_it_outlives_a_lack_of_descriptors(server: Server) -> None:
    """Whoever comes then finds the door shut; whoever is inside hears a promise that holds, or an honest no."""
    server.start()
    token = server.first_token()
    inside = server.client(token)
    answers = [inside.post("/gonder", {"telefon": "+905321234567", "mesaj": "Önce"})]
    assert server.process is not None
    pid = server.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, usual[1]))  # what is open stays open
    with pytest.raises(Gone):
        server.client(token, timeout=1).get("/hesaplar")
    answers.append(inside.post("/gonder", {"telefon": "+905321234567", "mesaj": "İçeride"}))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    server.until(server.is_ready, within=10, what="readiness")
    answers.append(server.client(token).post("/gonder", {"telefon": "+905321234567", "mesaj": "Kapıda"}))
    assert [answer.code for answer in answers] in ([None] * 3, [None, "kayit_yapilamadi", None])
    promised = [answer.json["log_id"] for answer in answers if answer.status == 200]
    assert [arrival.message_id for arrival in arrivals(server.arrivals)] == promised
    assert server.stop() == 0


# -- starts that fail, in words


def test_it_does_not_start_where_nothing_can_be_written(server: Server) -> None:
    """A full disk, a read-only database, a folder of somebody else's: told in words, in both languages."""
    assert "can't" in server.refuses(before=ON_FULL_DISK).said, "a new folder"
    server.start()
    server.stop()
    database = server.folder / "guvercin.db"
    was = database.read_bytes()
    assert "can't" in server.refuses(before=ON_FULL_DISK).said
    database.chmod(0o400)
    assert "can't" in server.refuses(before=WITHOUT_OVERRIDE).said
    assert "kullanılamıyor" in server.refuses(before=WITHOUT_OVERRIDE, GUVERCIN_LANG="tr").said
    database.chmod(0o600)
    server.folder.chmod(0o500)
    assert "can't" in server.refuses(before=WITHOUT_OVERRIDE).said
    server.folder.chmod(0o700)
    assert database.read_bytes() == was
    server.start()


@pytest.mark.parametrize("damage", ["not a database", "half of one"])
def test_a_damaged_database_is_told_in_words(server: Server, damage: str) -> None:
    server.start()
    server.stop()
    database = server.folder / "guvercin.db"
    whole = database.read_bytes()
    database.write_bytes(b"x" * 10_000 if damage == "not a database" else whole[: len(whole) // 2])
    said = server.refuses().said
    assert "database" in said
    assert "sqlalche" not in said, "the library's address helps nobody"
    database.write_bytes(whole)
    server.start()


def test_a_database_of_a_newer_version_is_left_alone(server: Server) -> None:
    server.start()
    server.stop()
    database = server.folder / "guvercin.db"
    with engine_for(database).connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999', compatible_version = '9999'")
        connection.commit()
    was = database.read_bytes()
    refusal = server.refuses()
    assert refusal.code == 1
    assert "newer Güvercin" in refusal.said
    assert "yeni bir Güvercin" in server.refuses(GUVERCIN_LANG="tr").said
    assert database.read_bytes() == was


def test_a_second_server_on_a_folder_is_refused(server: Server) -> None:
    server.start()
    client = server.client(server.first_token())
    beside = server.refuses("--port", str(server.port + 1))
    assert server.url in beside.said, "where the first one is"
    assert str(server.process and server.process.pid) in beside.said
    assert client.post("/gonder", {"telefon": "+905321234567", "mesaj": "Birinci"}).status == 200
    assert client.ask("GET", "/hazir").status == 200


def test_it_opens_no_door_to_others_unless_told_to(server: Server) -> None:
    for host in ("0.0.0.0", "::"):  # noqa: S104 -- what must be refused
        refusal = server.refuses("--host", host)
        assert refusal.code == 2
        assert "--herkese-acik" in refusal.said
        assert "--herkese-acik" in server.refuses("--host", host, GUVERCIN_LANG="tr").said
    assert not server.folder.exists(), "a refused start leaves nothing behind"
