"""`POST /gonder`."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

URL = f"{BASE}/gonder"
TEXT = {"telefon": "+905321234567", "mesaj": "Merhaba, faturanız hazır."}
NOT_ON_WHATSAPP = "+905000000002"
STANDING = ["ok", "log_id", "message_id", "durum"]


async def test_an_acknowledged_message_answers_the_seeds_three_keys(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["ok", "log_id", "message_id"]
    assert answer.json()["message_id"].startswith("DENEME-")
    assert answer.headers["X-Guvercin-Deneme"] == "1"
    assert answer.headers["Content-Type"] == "application/json"
    assert "Location" not in answer.headers
    assert "Preference-Applied" not in answer.headers


@pytest.mark.usefixtures("paused")
async def test_what_is_not_acknowledged_in_time_says_where_it_stands(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT, headers={"Prefer": "wait=0"})
    assert answer.status_code == 200
    assert list(answer.json()) == STANDING
    assert answer.json()["message_id"] is None
    assert answer.json()["durum"] == "queued"
    assert answer.headers["Preference-Applied"] == "wait=0"


async def test_a_refusal_within_the_wait_is_an_error_with_its_row(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT | {"telefon": NOT_ON_WHATSAPP})
    assert answer.status_code == 422
    refused = answer.json()
    assert refused["ok"] is False
    assert refused["kod"] == "numara_whatsappta_degil"
    assert answer.headers["X-Guvercin-Deneme"] == "1"
    row = (await client.get(f"{BASE}/durum/{refused['log_id']}")).json()["data"]
    assert (row["durum"], row["neden"]) == ("failed", "numara_whatsappta_degil")


@pytest.mark.usefixtures("paused")
async def test_nobody_waits_for_a_line_that_is_switched_off(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(5):
        answer = await client.post(URL, json=TEXT, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "log_id": 1, "message_id": None, "durum": "queued", "neden": "kapali"}


@pytest.mark.usefixtures("paused")
async def test_respond_async_answers_202_and_where_to_look(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert list(answer.json()) == STANDING
    assert answer.headers["Location"] == f"{BASE}/durum/{answer.json()['log_id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert (await client.get(answer.headers["Location"])).json()["data"]["durum"] == "queued"


async def test_respond_async_with_a_wait_answers_200_when_it_was_enough(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT, headers={"Prefer": "respond-async, wait=30"})
    assert answer.status_code == 200
    assert list(answer.json()) == ["ok", "log_id", "message_id"]
    assert answer.headers["Preference-Applied"] == "respond-async, wait=30"


@pytest.mark.parametrize("offset", ["", "+03:00", "Z"])
async def test_a_planned_message_answers_at_once(client: httpx2.AsyncClient, server: Server, offset: str) -> None:
    tomorrow = server.clock.now().replace(microsecond=0) + timedelta(days=1)
    asked = f"{tomorrow:%Y-%m-%d} {tomorrow:%H:%M:%S}{offset}"
    answer = await client.post(URL, json=TEXT | {"planlanan_zaman": asked})
    assert answer.status_code == 200
    assert answer.json()["durum"] == "scheduled"
    row = (await client.get(f"{BASE}/gonderimler/{answer.json()['log_id']}")).json()["data"]
    shown = tomorrow + timedelta(hours=3) if offset == "Z" else tomorrow
    assert row["planlanan_zaman"] == f"{shown:%Y-%m-%d %H:%M:%S}"
    assert row["planlanan_zaman_iso"] == f"{shown:%Y-%m-%dT%H:%M:%S}+03:00"
    assert row["neden"] == "zaman"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (905321234567, "+905321234567"),
        (5321234567, "+905321234567"),
        ("0 (532) 123 45 67", "+905321234567"),
        ("00905321234567", "+905321234567"),
    ],
)
async def test_a_number_is_answered_in_e164(client: httpx2.AsyncClient, written: Any, read: str) -> None:
    log_id = (await client.post(URL, json=TEXT | {"telefon": written})).json()["log_id"]
    assert (await client.get(f"{BASE}/durum/{log_id}")).json()["data"]["alici"] == read


@pytest.mark.parametrize(("written", "kept"), [(5, 5), ("5", 5), (5.0, 5), (None, 10), ("0005", 5), (77_777, 77_777)])
async def test_a_category_is_read_leniently_and_kept(client: httpx2.AsyncClient, written: Any, kept: int) -> None:
    log_id = (await client.post(URL, json=TEXT | {"tur_id": written})).json()["log_id"]
    row = (await client.get(f"{BASE}/gonderimler/{log_id}")).json()["data"]
    assert row["tur_id"] == kept
    assert row["uyari"] == ("bilinmeyen_tur" if kept == 77_777 else None)


async def test_empty_and_null_options_mean_absent_and_extra_keys_mean_nothing(client: httpx2.AsyncClient) -> None:
    empty: dict[str, Any] = {
        "isim": "",
        "referans": "",
        "hesap_id": None,
        "planlanan_zaman": None,
        "gecerlilik_dk": None,
    }
    answer = await client.post(URL, json=TEXT | empty | {"id": 7, "durum": "read", "phone": "x", "_": {"a": [1]}})
    assert answer.status_code == 200
    row = (await client.get(f"{BASE}/durum/{answer.json()['log_id']}")).json()["data"]
    assert (row["isim"], row["referans"], row["hesap_id"]) == (None, None, 1)


async def test_what_the_sender_gave_is_in_the_record(client: httpx2.AsyncClient) -> None:
    given = {"isim": "Şükrü Işık", "referans": "FTR-001", "tur_id": 1, "gecerlilik_dk": 90}
    log_id = (await client.post(URL, json=TEXT | given)).json()["log_id"]
    answer = await client.get(f"{BASE}/gonderimler/{log_id}")
    row = answer.json()["data"]
    assert (row["isim"], row["referans"], row["tur_id"]) == ("Şükrü Işık", "FTR-001", 1)
    assert row["mesaj"] == TEXT["mesaj"]
    assert "Şükrü Işık" in answer.text, "Turkish goes out as it is, not escaped"


async def test_a_key_answers_the_same_row_again(client: httpx2.AsyncClient, server: Server) -> None:
    first = await client.post(URL, json=TEXT, headers={"Idempotency-Key": '"fis-1"'})
    assert "Idempotency-Replayed" not in first.headers
    again = await client.post(
        URL,
        content=b'{"mesaj": "Merhaba, fatura\\u006e\xc4\xb1z haz\xc4\xb1r.",\n"telefon": "+905321234567"}',
        headers={"Idempotency-Key": "fis-1"},
    )
    assert again.status_code == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert await server.rows() == 1


async def test_a_key_for_another_body_is_refused(client: httpx2.AsyncClient, server: Server) -> None:
    await client.post(URL, json=TEXT, headers={"Idempotency-Key": "fis-1"})
    other = await client.post(URL, json=TEXT | {"mesaj": "Başka"}, headers={"Idempotency-Key": "fis-1"})
    assert (other.status_code, other.json()["kod"]) == (422, "tekrar_anahtari_uyusmuyor")
    assert await server.rows() == 1


async def test_a_key_answers_even_when_the_account_is_gone(client: httpx2.AsyncClient, server: Server) -> None:
    first = await client.post(URL, json=TEXT, headers={"Idempotency-Key": "fis-3"})
    assert (await client.delete(f"{BASE}/hesaplar/{server.account.id}")).status_code == 200
    assert (await client.post(URL, json=TEXT)).json()["kod"] == "hesap_yok"
    again = await client.post(URL, json=TEXT, headers={"Idempotency-Key": "fis-3"})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == first.json()


async def test_a_refused_row_is_refused_again_by_its_key(client: httpx2.AsyncClient) -> None:
    asked = TEXT | {"telefon": NOT_ON_WHATSAPP}
    first = await client.post(URL, json=asked, headers={"Idempotency-Key": "fis-2"})
    again = await client.post(URL, json=asked, headers={"Idempotency-Key": "fis-2"})
    assert (again.status_code, again.json()["log_id"]) == (422, first.json()["log_id"])
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", '"', '"a" b', "a b", '"a', "ş", "x" * 256, f'"{"x" * 256}"'])
async def test_an_unreadable_key_is_refused(client: httpx2.AsyncClient, server: Server, key: str) -> None:
    answer = await client.post(URL, json=TEXT, headers=[(b"Idempotency-Key", key.encode())])
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0]["alan"] == "Idempotency-Key"
    assert await server.rows() == 0


async def test_a_retry_without_a_key_answers_the_first_row(
    client: httpx2.AsyncClient, connect: Connect, server: Server
) -> None:
    first = await client.post(URL, json=TEXT)
    again = await client.post(URL, json=TEXT)
    assert again.headers["Tekrar"] == "1"
    assert again.json() == first.json()
    async with connect(await server.token(guards_retries=False)) as unguarded:
        other = await unguarded.post(URL, json=TEXT)
        assert "Tekrar" not in other.headers
        assert (await unguarded.post(URL, json=TEXT)).json()["log_id"] != other.json()["log_id"]


async def test_an_unknown_and_a_foreign_account_are_not_found(
    connect: Connect, client: httpx2.AsyncClient, server: Server
) -> None:
    other = await client.post(f"{BASE}/hesaplar", json={"isim": "İkinci", "tur": "sandbox"})
    foreign = other.json()["data"]["id"]
    async with connect(await server.token(account_ids=frozenset({server.account.id}))) as limited:
        for hesap_id in (foreign, 999_999):
            answer = await limited.post(URL, json=TEXT | {"hesap_id": hesap_id})
            assert (answer.status_code, answer.json()["kod"]) == (404, "bulunamadi")
    async with connect(await server.token(account_ids=frozenset({foreign}))) as limited:
        answer = await limited.post(URL, json=TEXT)
        assert (answer.status_code, answer.json()["kod"]) == (503, "hesap_yok")
        assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    ("change", "kod", "fault"),
    [
        ({"telefon": None}, "gecersiz_telefon", "yazi_degil"),
        ({"telefon": 905321234567.5}, "gecersiz_telefon", "yazi_degil"),
        ({"telefon": True}, "gecersiz_telefon", "yazi_degil"),
        ({"telefon": ["+905321234567"]}, "gecersiz_telefon", "yazi_degil"),
        ({"telefon": "0532 123"}, "gecersiz_telefon", "eksik_hane"),
        ({"telefon": "9,05321E+11"}, "gecersiz_telefon", "bilimsel_gosterim"),
        ({"telefon": 123}, "gecersiz_telefon", "eksik_hane"),
        ({"telefon": 10**30}, "gecersiz_telefon", "yazi_degil"),
        ({"mesaj": ""}, "bos_mesaj", None),
        ({"mesaj": "   "}, "bos_mesaj", None),
        ({"mesaj": 5}, "gecersiz_alan", "tip"),
        ({"mesaj": "a" * 4097}, "uzun_mesaj", None),
        ({"isim": 5}, "gecersiz_alan", "tip"),
        ({"isim": "a" * 201}, "gecersiz_alan", "uzun"),
        ({"referans": "a" * 101}, "gecersiz_alan", "uzun"),
        ({"tur_id": 0}, "gecersiz_tur", "aralik"),
        ({"tur_id": 1_000_000}, "gecersiz_tur", "aralik"),
        ({"tur_id": True}, "gecersiz_tur", "tip"),
        ({"tur_id": 1.5}, "gecersiz_tur", None),
        ({"tur_id": ""}, "gecersiz_tur", None),
        ({"tur_id": "fatura"}, "gecersiz_tur", None),
        ({"hesap_id": 0}, "gecersiz_alan", "aralik"),
        ({"hesap_id": 2**63}, "gecersiz_alan", None),
        ({"planlanan_zaman": "yarın"}, "gecersiz_zaman", "gecersiz_zaman"),
        ({"planlanan_zaman": ""}, "gecersiz_zaman", "gecersiz_zaman"),
        ({"planlanan_zaman": "2026-02-30 10:00:00"}, "gecersiz_zaman", "gecersiz_zaman"),
        ({"planlanan_zaman": "23.02.2026 10:00"}, "gecersiz_zaman", "gecersiz_zaman"),
        ({"planlanan_zaman": 1_771_846_200}, "gecersiz_zaman", "tip"),
        ({"planlanan_zaman": "2020-01-01 10:00:00"}, "gecersiz_zaman", None),
        ({"planlanan_zaman": "2099-01-01 10:00:00"}, "gecersiz_zaman", None),
        ({"gecerlilik_dk": 0}, "gecersiz_zaman", "aralik"),
        ({"gecerlilik_dk": 43_201}, "gecersiz_zaman", "aralik"),
    ],
)
async def test_one_bad_field_is_told_by_its_own_code(
    client: httpx2.AsyncClient, server: Server, change: dict[str, Any], kod: str, fault: str | None
) -> None:
    answer = await client.post(URL, json=TEXT | change)
    assert (answer.status_code, answer.json()["kod"]) == (422, kod), answer.text
    (told,) = answer.json()["alanlar"]
    assert told["alan"] == next(iter(change))
    assert fault is None or told["kod"] == fault
    assert await server.rows() == 0


async def test_several_bad_fields_are_told_together(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json={"mesaj": 5, "tur_id": "x"})
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    told = {fault["alan"]: fault["kod"] for fault in answer.json()["alanlar"]}
    assert told == {"telefon": "zorunlu", "mesaj": "tip", "tur_id": "tip"}


async def test_a_sandbox_number_works_only_where_it_should(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, json=TEXT | {"telefon": "+905000000001"})
    assert answer.status_code == 200


async def test_strict_categories_refuse_an_unknown_one(connect: Connect, server: Server) -> None:
    async with connect(await server.token(strict_categories=True)) as strict:
        answer = await strict.post(URL, json=TEXT | {"tur_id": 77_777})
        assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_tur")


async def test_a_daily_quota_says_when_it_renews(connect: Connect, server: Server) -> None:
    async with connect(await server.token(per_day=1)) as limited:
        assert (await limited.post(URL, json=TEXT)).status_code == 200
        answer = await limited.post(URL, json=TEXT | {"mesaj": "İkinci"})
        assert (answer.status_code, answer.json()["kod"]) == (429, "gunluk_kota")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("paused")
async def test_at_shutdown_who_waits_is_answered_at_once(client: httpx2.AsyncClient, server: Server) -> None:
    waiting = asyncio.create_task(client.post(URL, json=TEXT, headers={"Prefer": "wait=120"}))
    while not await server.rows():
        pass
    server.gateway.close()
    answer = await waiting
    assert (answer.status_code, answer.json()["durum"]) == (200, "queued")


async def test_a_closing_server_accepts_nothing(client: httpx2.AsyncClient, server: Server) -> None:
    server.gateway.close()
    answer = await client.post(URL, json=TEXT)
    assert (answer.status_code, answer.json()["kod"]) == (503, "kapaniyor")
    assert "Retry-After" in answer.headers
    assert await server.rows() == 0
