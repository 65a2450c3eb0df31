"""What people want, over HTTP: refusals, what has to be looked at, consents and what they open."""

import asyncio
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Server

from guvercin.core.outcome import Inbound

PHONE = "+905321234567"
REFUSALS, DOUBTS, CONSENTS = f"{BASE}/ret-listesi", f"{BASE}/bakilacaklar", f"{BASE}/onaylar"


async def send(client: httpx2.AsyncClient, **more: Any) -> httpx2.Response:
    body = {"telefon": PHONE, "mesaj": f"Merhaba {more}", **more}
    return await client.post(f"{BASE}/gonder", json=body)


async def test_a_refusal_from_its_beginning_to_its_end(server: Server, client: httpx2.AsyncClient) -> None:
    kept = await client.post(REFUSALS, json={"telefon": "0532 123 45 67", "yazdigi": "Telefonda söyledi"})
    row = kept.json()["data"]
    assert list(row) == [
        *("id", "telefon", "kapsam", "kaynak", "hesap_id", "yazdigi"),
        *("kayit_zamani", "kayit_zamani_iso", "bitis_zamani", "bitiren", "bitis_nedeni"),
    ]
    assert (row["telefon"], row["kapsam"], row["kaynak"], row["hesap_id"]) == (PHONE, "her_sey", "api", None)
    assert (await client.post(REFUSALS, json={"telefon": PHONE})).json()["data"]["id"] == row["id"]

    before = await server.rows()
    refused = await send(client)
    assert (refused.status_code, refused.json()["kod"]) == (409, "alici_ret_etti")
    assert refused.json()["hata"] == "Bu kişi mesaj istemediğini bildirdi."
    assert "log_id" not in refused.json()
    assert await server.rows() == before

    assert [each["id"] for each in (await client.get(REFUSALS)).json()["data"]] == [row["id"]]
    assert (await client.get(REFUSALS, params={"telefon": "+905339999999"})).json()["data"] == []
    ended = await client.delete(REFUSALS, params={"telefon": "0532 1234567"})
    assert ended.json() == {"ok": True, "adet": 1}
    assert (await client.delete(REFUSALS, params={"telefon": PHONE})).json()["adet"] == 0
    assert (await client.get(REFUSALS)).json()["data"] == []
    (gone,) = (await client.get(REFUSALS, params={"hangisi": "bitti"})).json()["data"]
    assert (gone["id"], gone["bitiren"]) == (row["id"], "api")
    assert (await send(client)).status_code == 200


async def test_the_sandbox_plays_it_to_the_end(server: Server, client: httpx2.AsyncClient) -> None:
    """+905000000005 answers DUR: the second message finds that, and the confirmation is in the log."""
    phone = "+905000000005"
    first = await send(client, telefon=phone)
    assert first.status_code == 200
    for _ in range(200):
        if (await client.get(REFUSALS)).json()["data"]:
            break
        await server.clock.sleep_until(server.clock.monotonic() + 0.1)
    (row,) = (await client.get(REFUSALS)).json()["data"]
    assert (row["telefon"], row["kaynak"], row["yazdigi"], row["hesap_id"]) == (phone, "mesaj", "DUR", 1)
    assert (await send(client, telefon=phone, tur_id=1)).json()["kod"] == "alici_ret_etti"
    log = (await client.get(f"{BASE}/gonderimler", params={"telefon": phone})).json()["data"]
    assert len(log) == 2
    assert log[0]["mesaj"].endswith("BAŞLA yazın.")


async def test_a_bulk_leaves_them_out_and_says_so(client: httpx2.AsyncClient) -> None:
    await client.post(REFUSALS, json={"telefon": PHONE})
    body = {"alicilar": [{"telefon": PHONE}, {"telefon": "+905331234567"}], "mesaj": "Merhaba"}
    checked = (await client.post(f"{BASE}/toplu/on-kontrol", json=body)).json()
    assert (checked["gonderilecek"], checked["hatali"], checked["kabul_edilir"]) == (1, 1, True)
    assert [(row["satir"], row["kod"]) for row in checked["satirlar"]] == [(1, "alici_ret_etti")]
    sent = await client.post(f"{BASE}/toplu-gonder", json=body)
    assert sent.json() == {"ok": True, "total": 2, "sent": 1, "failed": 1}
    report = await client.get(f"{BASE}/toplu/1/rapor.csv")
    assert "Mesaj istemiyor" in report.text


async def test_what_sounds_like_a_refusal_waits_for_a_decision(server: Server, client: httpx2.AsyncClient) -> None:
    async def writes(number: int, who: str) -> None:
        wrote = Inbound(remote_id=f"I-{number}", sender=who, text="Bir daha mesaj atmayın", at=server.clock.now())
        await server.store.receive_inbound(server.account.id, wrote, now=server.clock.now())

    other = "+905331234567"
    await asyncio.gather(writes(1, PHONE), writes(2, other))
    doubts = {row["telefon"]: row for row in (await client.get(DOUBTS)).json()["data"]}
    assert doubts.keys() == {PHONE, other}
    assert doubts[PHONE]["kapsam"] == "bakilacak"
    assert (await client.get(REFUSALS)).json()["data"] == []
    body = {"alicilar": [{"telefon": PHONE}, {"telefon": other}], "mesaj": "Merhaba"}
    waits = await client.post(f"{BASE}/toplu-gonder", json=body, headers={"Prefer": "wait=1"})
    assert (waits.json()["sent"], waits.json()["queued"]) == (0, 2)
    (held, _) = (await client.get(f"{BASE}/gonderimler")).json()["data"]
    assert (held["durum"], held["neden"]) == ("queued", "bakilacak")
    assert (await send(client)).status_code == 200, "a single message is somebody's own decision"

    no = await client.post(f"{DOUBTS}/{doubts[PHONE]['id']}/karar", json={"karar": "devam"})
    assert (no.status_code, no.json()["data"]["bitiren"]) == (200, "api")
    yes = await client.post(f"{DOUBTS}/{doubts[other]['id']}/karar", json={"karar": "ret", "kaynak": "panel"})
    assert (yes.json()["data"]["kapsam"], yes.json()["data"]["kaynak"]) == ("her_sey", "panel")
    assert (await client.get(DOUBTS)).json()["data"] == []
    again = await client.post(f"{DOUBTS}/{doubts[PHONE]['id']}/karar", json={"karar": "devam"})
    assert again.status_code == 404
    batch = (await client.get(f"{BASE}/toplu/1")).json()["data"]
    for _ in range(100):
        if batch["durum"] == "finished":
            break
        await server.clock.sleep_until(server.clock.monotonic() + 0.1)
        batch = (await client.get(f"{BASE}/toplu/1")).json()["data"]
    assert (batch["sent"], batch["failed"]) == (1, 1)


async def test_advertising_needs_a_title_and_a_consent(client: httpx2.AsyncClient) -> None:
    campaign = {"tur_id": 9, "mesaj": "Yeni ürünlerimiz geldi"}
    untitled = await send(client, **campaign)
    assert (untitled.status_code, untitled.json()["kod"]) == (409, "gonderen_unvani_yok")
    titled = await client.patch(f"{BASE}/hesaplar/1", json={"gonderen_unvani": "Yıldız Kırtasiye Ltd. Şti."})
    assert titled.json()["data"]["gonderen_unvani"] == "Yıldız Kırtasiye Ltd. Şti."
    unasked = await send(client, **campaign)
    assert (unasked.status_code, unasked.json()["kod"]) == (409, "onay_yok")
    body = {"alicilar": [{"telefon": PHONE}], **campaign}
    checked = (await client.post(f"{BASE}/toplu/on-kontrol", json=body)).json()
    assert checked["satirlar"][0]["kod"] == "onay_yok"
    assert (await client.post(f"{BASE}/toplu-gonder", json=body)).json()["failed"] == 1

    proof = await client.post(f"{BASE}/dosyalar", files={"dosya": ("onay.pdf", b"%PDF-1.4 onay")})
    asked = {
        "telefon": PHONE,
        "onay_kaynagi": "HS_ISLAK_IMZA",
        "onay_zamani": "2026-02-20 10:15:00",
        "metin_surumu": "2026-01",
        "kanit_dosya_id": proof.json()["dosya_id"],
    }
    kept = (await client.post(CONSENTS, json=asked)).json()["data"]
    assert (kept["telefon"], kept["onay_zamani"], kept["kanit_dosya_adi"]) == (PHONE, asked["onay_zamani"], "onay.pdf")
    sent = await send(client, **campaign)
    assert sent.status_code == 200
    text = (await client.get(f"{BASE}/gonderimler/{sent.json()['log_id']}")).json()["data"]["mesaj"]
    assert text == (
        "Yeni ürünlerimiz geldi\n\nYıldız Kırtasiye Ltd. Şti.\nBu mesajları almak istemiyorsanız RET yazın."
    )
    assert [row["id"] for row in (await client.get(CONSENTS)).json()["data"]] == [kept["id"]]
    export = await client.get(f"{BASE}/onaylar.csv")
    assert export.text.splitlines() == [
        "recipient,type,source,status,recipientType,consentDate",
        "+905321234567,MESAJ,HS_ISLAK_IMZA,ONAY,BIREYSEL,2026-02-20 10:15:00",
    ]


async def test_a_consent_wants_its_when_and_where(client: httpx2.AsyncClient) -> None:
    good = {"telefon": PHONE, "onay_kaynagi": "HS_WEB", "onay_zamani": "2026-02-20 10:15:00"}
    for change, field in (
        ({"telefon": "123"}, "telefon"),
        ({"onay_kaynagi": "KAHVE"}, "onay_kaynagi"),
        ({"onay_zamani": "dün"}, "onay_zamani"),
        ({"onay_zamani": "2090-01-01 10:00:00"}, "onay_zamani"),
        ({"kanit_dosya_id": "yok"}, "kanit_dosya_id"),
        ({"alici_turu": "HERKES"}, "alici_turu"),
    ):
        refused = await client.post(CONSENTS, json={**good, **change})
        assert (refused.status_code, refused.json()["alanlar"][0]["alan"]) == (422, field)
    assert (await client.get(CONSENTS)).json()["data"] == []


async def test_pages_go_on_where_the_last_one_ended(client: httpx2.AsyncClient) -> None:
    numbers = [f"+90532123456{digit}" for digit in range(5)]
    for each in numbers:
        await client.post(REFUSALS, json={"telefon": each})
        consent = {"telefon": each, "onay_kaynagi": "HS_WEB", "onay_zamani": "2026-02-20 10:15:00"}
        await client.post(CONSENTS, json=consent)
    for url in (REFUSALS, CONSENTS):
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = await client.get(url, params=query)
            seen += [row["telefon"] for row in page.json()["data"]]
            if page.json()["sonraki"] is None:
                break
            assert 'rel="next"' in page.headers["link"]
            query["sonra"] = page.json()["sonraki"]
        assert seen == numbers[::-1]


async def test_a_text_like_advertising_is_asked_about_before_a_bulk(client: httpx2.AsyncClient) -> None:
    body = {"alicilar": [{"telefon": PHONE}], "mesaj": "Bu hafta %20 indirim"}
    checked = (await client.post(f"{BASE}/toplu/on-kontrol", json=body)).json()
    assert checked["uyari"] == "kampanya_sozu"
    asked = await client.post(f"{BASE}/toplu-gonder", json={**body, "beyan": False})
    assert (asked.status_code, asked.json()["kod"]) == (409, "beyan_gerekli")
    assert (await client.post(f"{BASE}/toplu-gonder", json={**body, "beyan": True})).json()["total"] == 1
    (row,) = (await client.get(f"{BASE}/gonderimler")).json()["data"]
    assert row["uyari"] == "kampanya_sozu"


async def test_how_people_are_treated_is_a_matter_of_the_account(client: httpx2.AsyncClient) -> None:
    url = f"{BASE}/hesaplar/1"
    changed = await client.patch(url, json={"islem_bildirimleri": True, "mukerrer_saat": 24, "gonderen_unvani": "A"})
    assert {key: changed.json()["data"][key] for key in ("islem_bildirimleri", "mukerrer_saat", "gonderen_unvani")} == {
        "islem_bildirimleri": True,
        "mukerrer_saat": 24,
        "gonderen_unvani": "A",
    }
    await client.post(REFUSALS, json={"telefon": PHONE})
    assert (await send(client, tur_id=1)).status_code == 200
    assert (await send(client, tur_id=5)).status_code == 409
    body = {"alicilar": [{"telefon": "+905331234567"}], "mesaj": "Aynı"}
    assert (await client.post(f"{BASE}/toplu-gonder", json=body)).json()["sent"] == 1
    second = await client.post(f"{BASE}/toplu-gonder", json={**body, "referans": "2"})
    assert second.json() == {"ok": True, "total": 1, "sent": 0, "failed": 1}
    off = await client.patch(url, json={"mukerrer_saat": 0, "gonderen_unvani": ""})
    assert (off.json()["data"]["mukerrer_saat"], off.json()["data"]["gonderen_unvani"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "telefon"),
        ({"telefon": "12"}, "telefon"),
        ({"telefon": PHONE, "kapsam": "bakilacak"}, "kapsam"),
        ({"telefon": PHONE, "kaynak": "mesaj"}, "kaynak"),
        ({"telefon": PHONE, "yazdigi": "\x00"}, "yazdigi"),
    ],
)
async def test_a_bad_refusal_is_told_at_its_field(client: httpx2.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post(REFUSALS, json=body)
    assert (answer.status_code, answer.json()["alanlar"][0]["alan"]) == (422, field)
    assert (await client.get(REFUSALS)).json()["data"] == []
