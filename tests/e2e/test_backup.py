"""A backup of a server that is working, and what comes back with it: nothing goes out twice behind its owner's back."""

import shutil
from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- the seed stands beside it
from typing import Any

import pytest
from tests.e2e.server import Client, Server
from tests.e2e.tills import TILLS, Book, Pen, tills_at_work

from guvercin.gateway.clock import SystemClock
from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e

HELD = "geri_yuklendi"
LINE = 60


def held(client: Client) -> list[dict[str, Any]]:
    """Answer the rows that wait for their owner's decision, oldest first."""
    return [row for row in client.pages("durum=queued")[::-1] if row["neden"] == HELD]


def fill_the_line(client: Client, count: int) -> int:
    """Ask for a batch that takes long; answers its id."""
    many = {"alicilar": [{"telefon": f"+90533123{place:04}"} for place in range(count)], "mesaj": "Sırada"}
    return int(client.post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"])


def test_a_backup_of_a_working_server_comes_back_held(server: Server, tmp_path: Path) -> None:
    backup = tmp_path / "yedek.tar"
    server.start("--ornek")
    token = server.first_token()
    client = server.client(token)
    toplu_id = fill_the_line(client, LINE)
    client.post("/dosya-gonder", {"telefon": "+905321234567", "dosya_yolu": "faturalar/FTR-001.pdf"}, Prefer="wait=0")
    tomorrow = (SystemClock().now() + timedelta(days=1)).astimezone(UTC).isoformat()
    planned = {"telefon": "+905321234567", "mesaj": "Yarın", "planlanan_zaman": tomorrow}
    planned_id = client.post("/gonder", planned).json["log_id"]
    book = Book()
    with tills_at_work(server, token, book, [Pen(f"t{till}", Random(till), (1,)) for till in range(TILLS)]):
        server.until(lambda: len(book.promised()) > 30, within=20, what="a load")
        assert backup_of(server, backup)["ok"] is True
        promised = len(book.promised())
        server.until(lambda: len(book.promised()) > promised + 10, within=20, what="more load")
        server.kill()
    assert backup.stat().st_mode & 0o077 == 0

    with Server(tmp_path / "başka veri") as other:
        count = other.told("geri-yukle", str(backup))["bekletilen"]
        other.start()
        client = other.client(token)
        waiting = held(client)
        assert len(waiting) == count > LINE
        assert planned_id in {row["id"] for row in waiting}
        assert client.get(f"/toplu/{toplu_id}").json["data"]["total"] == LINE

        # What is new goes out; nothing else does.
        fresh = client.post("/gonder", {"telefon": "+905321234599", "mesaj": "Yeni"}).json["log_id"]
        other.until(
            lambda: client.get(f"/durum/{fresh}").json["data"]["durum"] == "read", within=20, what="the new message"
        )
        assert [arrival.message_id for arrival in arrivals(other.arrivals)] == [fresh]

        of_batch = [row["id"] for row in waiting if row["toplu_id"] == toplu_id]
        one, two, *_ = of_batch
        assert client.post(f"/gonderimler/{one}/birak", None).status == 200
        assert client.post(f"/gonderimler/{two}/iptal", None).json["durum"] == "cancelled"
        other.until(
            lambda: client.get(f"/durum/{one}").json["data"]["durum"] in {"sent", "delivered", "read"},
            within=20,
            what="the released message",
        )
        client.set_gap(0.0, 1)
        assert other.told("kayit", "birak", "--hepsi")["adet"] == count - 2
        other.until(lambda: not client.pages("durum=queued"), within=30, what="the end of the line")
        assert client.get(f"/durum/{planned_id}").json["data"]["durum"] == "scheduled", "it still waits for its time"
        times = Counter(arrival.message_id for arrival in arrivals(other.arrivals))
        wanted = {row["id"] for row in waiting} - {two, planned_id} | {fresh}
        assert times == dict.fromkeys(wanted, 1)


def backup_of(server: Server, target: Path) -> dict[str, Any]:
    return server.told("yedek", str(target))


def test_a_restore_into_the_same_folder_gives_no_id_twice(server: Server, tmp_path: Path) -> None:
    backup = tmp_path / "yedek.tar"
    server.start()
    token = server.first_token()
    client = server.client(token)
    client.post("/hesaplar/1/duraklat", None)
    kept = [client.post("/gonder", {"telefon": f"+90532123456{n}", "mesaj": "A"}, Prefer="wait=0") for n in range(3)]
    backup_of(server, backup)
    client.post("/hesaplar/1/devam", None)
    later = [client.post("/gonder", {"telefon": f"+90532123456{n}", "mesaj": "B"}) for n in range(3)]
    assert "stop" in server.cli("geri-yukle", str(backup)).stderr.lower(), "never under a server that runs"
    server.stop()
    known = {answer.json["log_id"] for answer in (*kept, *later)}
    before = arrivals(server.arrivals)
    assert {arrival.message_id for arrival in before} == known

    assert server.told("geri-yukle", str(backup))["bekletilen"] == len(kept)
    server.start()
    client = server.client(token)
    assert {row["id"] for row in held(client)} == {answer.json["log_id"] for answer in kept}
    fresh = client.post("/gonder", {"telefon": "+905321234599", "mesaj": "Yeni", "hesap_id": 1}, Prefer="wait=0")
    assert fresh.json["log_id"] > max(known), "a number that a client holds must not name another message"
    client.post("/hesaplar/1/devam", None)
    server.until(lambda: len(arrivals(server.arrivals)) > len(before), within=20, what="the new message")
    server.live(1.0)
    assert [it.message_id for it in arrivals(server.arrivals)[len(before) :]] == [fresh.json["log_id"]]


def test_an_older_database_that_is_copied_back_by_hand_starts_held(server: Server) -> None:
    server.start()
    token = server.first_token()
    client = server.client(token)
    client.post("/hesaplar/1/duraklat", None)
    waiting = [
        client.post("/gonder", {"telefon": f"+90532123456{n}", "mesaj": "A"}, Prefer="wait=0").json["log_id"]
        for n in range(3)
    ]
    server.stop()
    database = server.folder / "guvercin.db"
    older = shutil.copy(database, server.folder.parent / "older.db")

    server.start()
    client = server.client(token)
    client.post("/hesaplar/1/devam", None)
    server.until(lambda: len(arrivals(server.arrivals)) == len(waiting), within=20, what="what waited")
    server.stop()

    shutil.copy(older, database)
    server.start()
    client = server.client(token)
    assert "older_copy_held" in server.said("err")
    assert [row["id"] for row in held(client)] == waiting
    client.post("/hesaplar/1/devam", None)
    fresh = client.post("/gonder", {"telefon": "+905321234599", "mesaj": "Yeni"}).json["log_id"]
    server.live(1.0)
    assert [arrival.message_id for arrival in arrivals(server.arrivals)] == [*waiting, fresh]
    assert fresh > max(waiting)
    server.stop()
    server.start()
    assert [row["id"] for row in held(server.client(token))] == waiting, "held until its owner decides"
