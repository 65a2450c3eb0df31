"""The gateway on PostgreSQL, as its owner runs it: started, used, restarted, and its database server taken away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.server import Client, Server
from tests.store.server import Server as Postgres

from guvercin.store.schema import HEAD

PASSWORD = "gizli-parola"

pytestmark = pytest.mark.e2e


@pytest.fixture
def address(cluster: Postgres, request: pytest.FixtureRequest) -> str:
    """Answer the address of a database that nobody has used, with a password in it."""
    name = f"db{abs(hash(request.node.name))}"
    cluster.create(name)
    return cluster.url(name).replace("guvercin@", f"guvercin:{PASSWORD}@")


@pytest.fixture
def shop(address: str, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri", GUVERCIN_DATABASE_URL=address) as server:
        yield server


def send(client: Client, number: int, **headers: str) -> int:
    answer = client.post("/gonder", {"telefon": f"+90532{number:07}", "mesaj": "Siparişiniz hazır."}, **headers)
    assert answer.status == 200, answer.text
    return int(answer.json["log_id"])


def test_a_shop_on_postgresql_lives_and_is_started_again(shop: Server, address: str, tmp_path: Path) -> None:
    shop.start()
    client = shop.client(shop.token())
    client.set_gap(0, 1)
    first = send(client, 1_234_567)
    with Server(tmp_path / "baska", GUVERCIN_DATABASE_URL=address) as another:
        assert "Another gateway runs on this database" in another.refuses().said
    assert shop.stop() == 0

    shop.start()
    client = shop.client(shop.token())
    record = client.get(f"/gonderimler/{first}").json
    assert record["data"]["durum"] in {"sent", "delivered", "read"}
    assert send(client, 7_654_321) > first

    findings = {each["ad"]: each for each in shop.told("doktor")["data"]}
    assert findings["veritabani"]["durum"] == "yesil"
    assert "PostgreSQL" in findings["postgresql"]["bulgu"]
    refused = shop.cli("yedek", str(shop.desk / "y.tar"))
    assert refused.returncode == 1
    assert "pg_dump" in refused.stderr
    assert PASSWORD not in shop.said() + refused.stderr
    assert not (shop.folder / "guvercin.db").exists()


def test_a_server_that_goes_and_comes_back_loses_and_doubles_nothing(shop: Server, cluster: Postgres) -> None:
    shop.start()
    client = shop.client(shop.token())
    client.set_gap(0, 1)
    taken = {number: send(client, number, Idempotency_Key=f"s-{number}") for number in range(2_000_001, 2_000_006)}
    for how in ("fast", "immediate"):
        cluster.stop(how)
        try:
            refused = client.post("/gonder", {"telefon": "+905329999999", "mesaj": "Yok"})
            assert refused.status == 503, refused.text
            assert refused.headers["Retry-After"]
        finally:
            cluster.start()
        shop.until(shop.is_ready, within=15, what="readiness after the database came back")
        number = 2_000_006 + len(taken)
        taken[number] = send(client, number, Idempotency_Key=f"s-{number}")
    for number, log_id in taken.items():  # what was accepted is the same row to whoever asks again
        assert send(client, number, Idempotency_Key=f"s-{number}") == log_id

    def arrived() -> bool:
        return all(row["durum"] in {"sent", "delivered", "read"} for row in client.pages())

    shop.until(arrived, within=20, what="the last message")
    assert sorted(row["id"] for row in client.pages()) == sorted(taken.values())
    arrivals = shop.arrivals.read_text("utf-8")
    assert [arrivals.count(str(number)) for number in taken] == [1] * len(taken)
    assert PASSWORD not in shop.said()


def test_the_database_of_a_newer_program_is_refused(shop: Server, address: str) -> None:
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    shop.start()
    assert shop.stop() == 0
    with psycopg.connect(address) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999', compatible_version = '9999'")
    refused = shop.refuses()
    assert "A newer Güvercin has written this database" in refused.said
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
        connection.execute("UPDATE alembic_version SET version_num = %s, compatible_version = %s", (HEAD, HEAD))


def test_a_server_that_is_not_there_is_told_without_the_password(shop: Server, tmp_path: Path) -> None:
    away = f"postgresql://guvercin:{PASSWORD}@/kimse?host={tmp_path}"
    refused = shop.refuses(GUVERCIN_DATABASE_URL=away)
    assert "The database can't be used" in refused.said
    assert PASSWORD not in refused.said
