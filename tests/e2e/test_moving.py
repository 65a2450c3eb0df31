"""A shop moves from its file to PostgreSQL: everything is there, ids go on, and the file is used no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.server import Server
from tests.store.server import Server as Postgres

from guvercin.transports.ledger import arrivals

pytestmark = pytest.mark.e2e


@pytest.fixture
def address(cluster: Postgres) -> str:
    cluster.create("yeni")
    return cluster.url("yeni")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri") as server:
        yield server


def test_a_shop_moves_with_all_it_has_and_only_once(shop: Server, address: str, cluster: Postgres) -> None:
    shop.start()
    token = shop.first_token()
    client = shop.client(token)
    client.set_gap(0, 1)
    numbers = [f"+90532123{place:04}" for place in range(30)]
    many = {"alicilar": [{"telefon": number} for number in numbers], "mesaj": "Toplu"}
    batch = client.post("/toplu-gonder", many, Prefer="respond-async").json["toplu_id"]

    def has_read() -> bool:
        return [row["durum"] for row in client.pages()].count("read") == len(numbers)

    shop.until(has_read, within=30, what="everybody's reading")
    client.post("/hesaplar/1/duraklat", {})
    waiting = client.post("/gonder", {"telefon": "+905329999999", "mesaj": "Bekler"}).json["log_id"]
    before = client.pages()

    refused = shop.cli("tasi", GUVERCIN_DATABASE_URL=address)
    assert refused.returncode != 0, "a server runs on the folder"
    assert shop.stop() == 0
    refused = shop.cli("tasi")
    assert "GUVERCIN_DATABASE_URL names no PostgreSQL" in refused.stderr
    moved = shop.cli("tasi", "--json", GUVERCIN_DATABASE_URL=address)
    assert moved.returncode == 0, moved.stderr
    assert not (shop.folder / "guvercin.db").exists()
    assert len(list(shop.folder.glob("guvercin-tasindi-*.db"))) == 1

    shop.environment["GUVERCIN_DATABASE_URL"] = address
    shop.start()
    client = shop.client(token)
    assert client.pages() == before
    assert client.get(f"/toplu/{batch}").json["data"]["sent"] == len(numbers)
    client.post("/hesaplar/1/devam", {})
    later = client.post("/gonder", {"telefon": "+905328888888", "mesaj": "Sonra"}).json["log_id"]
    assert later > waiting
    shop.until(
        lambda: {row["durum"] for row in client.pages()} <= {"sent", "delivered", "read"}, within=20, what="the rest"
    )
    assert sorted(each.number for each in arrivals(shop.arrivals)) == sorted(
        [*numbers, "+905328888888", "+905329999999"]
    )
    assert shop.stop() == 0

    with Server(shop.folder.with_name("baska")) as another:
        another.start()
        assert another.stop() == 0
        refused = another.cli("tasi", GUVERCIN_DATABASE_URL=address)
        assert refused.returncode == 1
        assert "is not empty. Nothing was moved" in refused.stderr
        assert (another.folder / "guvercin.db").exists()
    assert cluster.folder.exists()
