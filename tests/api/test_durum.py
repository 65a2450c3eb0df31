"""`GET /durum/{logId}` and the record of a message."""

from datetime import timedelta

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission, Token

TEXT = {"telefon": "+905321234567", "mesaj": "Merhaba", "isim": "Ali", "referans": "FTR-1", "tur_id": 1}
KEYS = [
    "id",
    "durum",
    "alici",
    "gonderim_zamani",
    "gonderim_zamani_iso",
    "message_id",
    "neden",
    "iletim_zamani",
    "okunma_zamani",
    "isim",
    "tur_id",
    "hesap_id",
    "toplu_id",
    "referans",
    "deneme_sayisi",
    "deneme",
]


async def send(client: httpx2.AsyncClient, **change: object) -> int:
    log_id: int = (await client.post(f"{BASE}/gonder", json=TEXT | change)).json()["log_id"]
    return log_id


async def test_a_status_tells_everything_in_the_contracts_order(client: httpx2.AsyncClient, server: Server) -> None:
    log_id = await send(client)
    answer = await client.get(f"{BASE}/durum/{log_id}")
    assert answer.status_code == 200
    assert answer.headers["X-Guvercin-Deneme"] == "1"
    row = answer.json()["data"]
    assert list(row) == KEYS
    assert (row["id"], row["durum"], row["isim"], row["referans"]) == (log_id, "sent", "Ali", "FTR-1")
    assert (row["deneme"], row["deneme_sayisi"], row["neden"], row["toplu_id"]) == (True, 1, None, None)
    local = (await server.gateway.messages.one(await any_token(server), log_id))[0].sent_at
    assert local is not None
    assert row["gonderim_zamani_iso"] == (local + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S+03:00")
    assert row["gonderim_zamani"] == row["gonderim_zamani_iso"][:19].replace("T", " ")


async def any_token(server: Server) -> Token:
    return await server.gateway.authenticate(await server.token())


@pytest.mark.usefixtures("paused")
async def test_what_has_not_happened_is_null(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{BASE}/gonder", json=TEXT, headers={"Prefer": "wait=0"})
    row = (await client.get(f"{BASE}/durum/{answer.json()['log_id']}")).json()["data"]
    assert row["durum"] == "queued"
    times = ("gonderim_zamani", "gonderim_zamani_iso", "message_id", "iletim_zamani", "okunma_zamani")
    assert all(row[name] is None for name in times)


async def test_foreign_and_unknown_messages_are_not_found(
    client: httpx2.AsyncClient, connect: Connect, server: Server
) -> None:
    log_id = await send(client)
    async with connect(await server.token(account_ids=frozenset({999}))) as stranger:
        for path in (f"durum/{log_id}", f"gonderimler/{log_id}"):
            answer = await stranger.get(f"{BASE}/{path}")
            assert (answer.status_code, answer.json()["kod"]) == (404, "bulunamadi")
        for verb in ("iptal", "birak", "yeniden-gonder"):
            assert (await stranger.post(f"{BASE}/gonderimler/{log_id}/{verb}")).status_code == 404
    assert (await client.get(f"{BASE}/durum/999999")).status_code == 404


@pytest.mark.parametrize("log_id", ["abc", "0", "-1", "1.5", str(2**53), str(2**64), "%00"])
async def test_what_is_no_id_is_refused(client: httpx2.AsyncClient, log_id: str) -> None:
    answer = await client.get(f"{BASE}/durum/{log_id}")
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")


async def test_a_record_has_its_timeline(client: httpx2.AsyncClient) -> None:
    log_id = await send(client)
    row = (await client.get(f"{BASE}/gonderimler/{log_id}")).json()["data"]
    assert list(row)[: len(KEYS)] == KEYS
    assert row["mesaj"] == "Merhaba"
    assert [tried["sonuc"] for tried in row["denemeler"]] == ["accepted"]
    kinds = [event["olay"] for event in row["olaylar"]]
    assert kinds[:3] == ["mesaj.kabul_edildi", "mesaj.gonderiliyor", "mesaj.gonderildi"]


async def test_reading_needs_its_permission(connect: Connect, server: Server) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.SEND}))) as till:
        answer = await till.get(f"{BASE}/durum/1")
        assert (answer.status_code, answer.json()["kod"]) == (403, "yetki_yok")
        assert "oku" in answer.json()["hata"]
