"""The log: filters, pages, and what can still be done to a row."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission

URL = f"{BASE}/gonderimler"
ALI, VELI = "+905321234567", "+905339876543"


async def send(client: httpx2.AsyncClient, text: str, **change: Any) -> int:
    answer = await client.post(f"{BASE}/gonder", json={"telefon": ALI, "mesaj": text} | change)
    log_id: int = answer.json()["log_id"]
    return log_id


async def listed(client: httpx2.AsyncClient, **query: Any) -> list[int]:
    answer = await client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


async def test_pages_go_from_new_to_old_and_end(client: httpx2.AsyncClient) -> None:
    made = [await send(client, f"{number}. mesaj") for number in range(5)]
    answer = await client.get(URL, params={"limit": 2, "telefon": ALI})
    assert list(answer.json()) == ["ok", "data", "sonraki"]
    seen = [row["id"] for row in answer.json()["data"]]
    while "Link" in answer.headers:
        link = answer.headers["Link"]
        assert link.endswith('; rel="next"')
        assert f"sonra={answer.json()['sonraki']}" in link
        answer = await client.get(link[1:].partition(">")[0])
        assert len(answer.json()["data"]) <= 2
        seen += [row["id"] for row in answer.json()["data"]]
    assert answer.json()["sonraki"] is None
    assert seen == made[::-1]


async def test_filters_narrow_the_list(client: httpx2.AsyncClient, server: Server) -> None:
    tomorrow = (server.clock.now() + timedelta(days=1)).isoformat(timespec="seconds")
    first = await send(client, "bir", referans="FTR-1", tur_id=1)
    second = await send(client, "iki", telefon=VELI)
    refused = (await client.post(f"{BASE}/gonder", json={"telefon": "+905000000002", "mesaj": "üç"})).json()["log_id"]
    planned = await send(client, "dört", planlanan_zaman=tomorrow)
    other = (await client.post(f"{BASE}/hesaplar", json={"isim": "İkinci", "tur": "sandbox"})).json()["data"]["id"]
    await server.house.sessions.step(server.clock.now())  # its line exists from the next step on
    await client.post(f"{BASE}/hesaplar/{other}/duraklat")
    elsewhere = (
        await client.post(
            f"{BASE}/gonder", json={"telefon": ALI, "mesaj": "beş", "hesap_id": other}, headers={"Prefer": "wait=0"}
        )
    ).json()["log_id"]
    assert await listed(client) == [elsewhere, planned, refused, second, first]
    assert await listed(client, durum="scheduled") == [planned]
    assert await listed(client, durum="queued") == [elsewhere]
    assert await listed(client, durum="failed") == [refused]
    assert await listed(client, hesap_id=other) == [elsewhere]
    assert await listed(client, tur_id=1) == [first]
    assert await listed(client, referans="FTR-1") == [first]
    assert await listed(client, telefon="0533 987 65 43") == [second]
    assert await listed(client, toplu_id=1) == []
    today = (server.clock.now() + timedelta(hours=3)).date()
    assert await listed(client, baslangic=str(today - timedelta(days=1)), bitis=str(today)) == [
        *(elsewhere, planned, refused, second, first)
    ]
    assert await listed(client, baslangic=f"{today + timedelta(days=1)} 00:00:00") == []
    assert await listed(client, bitis=f"{today}T00:00:00+03:00") == []
    assert await listed(client, bilinmeyen="x", limit=1) == [elsewhere]


@pytest.mark.parametrize(
    ("query", "field", "kod"),
    [
        ({"durum": "gitti"}, "durum", "gecersiz_alan"),
        ({"limit": 0}, "limit", "gecersiz_alan"),
        ({"limit": 201}, "limit", "gecersiz_alan"),
        ({"limit": "çok"}, "limit", "gecersiz_alan"),
        ({"hesap_id": -1}, "hesap_id", "gecersiz_alan"),
        ({"toplu_id": 2**70}, "toplu_id", "gecersiz_alan"),
        ({"tur_id": "x"}, "tur_id", "gecersiz_tur"),
        ({"telefon": "0532"}, "telefon", "gecersiz_telefon"),
        ({"baslangic": "dün"}, "baslangic", "gecersiz_alan"),
        ({"bitis": "2026-02-30"}, "bitis", "gecersiz_alan"),
        ({"sonra": "x"}, "sonra", "gecersiz_alan"),
        ({"sonra": ""}, "sonra", "gecersiz_alan"),
        ({"sonra": "AAAAAAAAAAA"}, "sonra", "gecersiz_alan"),
        ({"sonra": "AAAAAAAAAAF"}, "sonra", "gecersiz_alan"),
        ({"sonra": "________________"}, "sonra", "gecersiz_alan"),
        ({"sonra": "ğğğ"}, "sonra", "gecersiz_alan"),
    ],
)
async def test_a_bad_query_is_told_by_field(
    client: httpx2.AsyncClient, query: dict[str, Any], field: str, kod: str
) -> None:
    answer = await client.get(URL, params=query)
    assert (answer.status_code, answer.json()["kod"]) == (422, kod), answer.text
    assert answer.json()["alanlar"][0]["alan"] == field


async def test_a_token_sees_only_its_accounts(client: httpx2.AsyncClient, connect: Connect, server: Server) -> None:
    await send(client, "gizli")
    async with connect(await server.token(account_ids=frozenset({999}))) as stranger:
        assert await listed(stranger) == []
        assert (await stranger.post(f"{BASE}/iptal", json={"referans": "FTR-1"})).json()["adet"] == 0


@pytest.mark.usefixtures("paused")
async def test_what_has_not_left_is_cancelled_and_twice_is_no_error(client: httpx2.AsyncClient) -> None:
    answer = await client.post(
        f"{BASE}/gonder", json={"telefon": ALI, "mesaj": "vazgeçtim"}, headers={"Prefer": "wait=0"}
    )
    url = f"{URL}/{answer.json()['log_id']}/iptal"
    for _ in range(2):
        cancelled = await client.post(url)
        assert cancelled.status_code == 200
        assert list(cancelled.json()) == ["ok", "log_id", "message_id", "durum"]
        assert cancelled.json()["durum"] == "cancelled"
        assert cancelled.headers["X-Guvercin-Deneme"] == "1"


async def test_what_has_left_can_not_be_cancelled(client: httpx2.AsyncClient) -> None:
    log_id = await send(client, "gitti")
    answer = await client.post(f"{URL}/{log_id}/iptal")
    assert (answer.status_code, answer.json()["kod"]) == (409, "iptal_edilemez")
    assert answer.json()["log_id"] == log_id


async def test_sending_again_makes_a_new_row(client: httpx2.AsyncClient) -> None:
    log_id = await send(client, "tekrar")
    answer = await client.post(f"{URL}/{log_id}/yeniden-gonder", headers={"Idempotency-Key": "t-1"})
    assert answer.status_code == 200
    assert list(answer.json()) == ["ok", "log_id", "message_id"]
    assert answer.json()["log_id"] != log_id
    again = await client.post(f"{URL}/{log_id}/yeniden-gonder", headers={"Idempotency-Key": "t-1"})
    assert again.json() == answer.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    row = (await client.get(f"{URL}/{answer.json()['log_id']}")).json()["data"]
    assert row["asil_log_id"] == log_id


@pytest.mark.usefixtures("paused")
async def test_what_still_waits_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{BASE}/gonder", json={"telefon": ALI, "mesaj": "sırada"}, headers={"Prefer": "wait=0"})
    again = await client.post(f"{URL}/{answer.json()['log_id']}/yeniden-gonder")
    assert (again.status_code, again.json()["kod"]) == (409, "sirada_mesaj_var")


@pytest.mark.usefixtures("paused")
async def test_a_held_row_is_released(client: httpx2.AsyncClient, server: Server) -> None:
    answer = await client.post(f"{BASE}/gonder", json={"telefon": ALI, "mesaj": "yedek"}, headers={"Prefer": "wait=0"})
    log_id = answer.json()["log_id"]
    await server.store.hold_unfinished(now=server.clock.now())
    row = (await client.get(f"{BASE}/durum/{log_id}")).json()["data"]
    assert (row["durum"], row["neden"]) == ("queued", "geri_yuklendi")
    for _ in range(2):
        released = await client.post(f"{URL}/{log_id}/birak")
        assert (released.status_code, released.json()["durum"]) == (200, "queued")
    assert (await client.get(f"{BASE}/durum/{log_id}")).json()["data"]["neden"] is None


@pytest.mark.parametrize("body", [{}, {"referans": ""}, {"referans": None}, {"referans": "x" * 101}, {"referans": 5}])
async def test_cancelling_needs_a_reference(client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post(f"{BASE}/iptal", json=body)
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == "referans"


async def test_a_till_that_may_only_send_reads_nothing(connect: Connect, server: Server) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.SEND}))) as till:
        for path in ("gonderimler", "turler", "hesaplar", "toplu/1", "gonderimler/1"):
            assert (await till.get(f"{BASE}/{path}")).status_code == 403
        assert (await till.post(f"{BASE}/toplu-gonder", json={})).status_code == 403
