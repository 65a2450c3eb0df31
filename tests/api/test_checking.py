"""`POST /toplu/on-kontrol`: what would become of a list, before anything is sent or kept."""

from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.token import Permission

URL = f"{BASE}/toplu/on-kontrol"
ALI, VELI = "+905321234567", "+905339876543"


def rows(told: dict[str, Any]) -> list[tuple[int, str, str, bool]]:
    return [(row["satir"], row["sonuc"], row["kod"], row["engel"]) for row in told["satirlar"]]


async def check(client: httpx2.AsyncClient, *recipients: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"alicilar": recipients, "mesaj": "Merhaba"} | more
    answer = await client.post(URL, json=body, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert told["total"] == told["gonderilecek"] + told["hatali"] + told["mukerrer"] == len(recipients)
    return told


async def test_each_row_that_is_not_plainly_good_has_its_verdict(client: httpx2.AsyncClient, server: Server) -> None:
    numbers = [ALI, "0532 123 45 67", "0532 123", VELI, "0850 123 45 67", "abc"]
    told = await check(client, *({"telefon": number} for number in numbers))
    assert (told["gonderilecek"], told["hatali"], told["mukerrer"]) == (3, 2, 1)
    assert rows(told) == [
        (2, "mukerrer", "mukerrer", False),
        (3, "hatali", "gecersiz_telefon", False),
        (5, "gonderilecek", "cep_degil", False),
        (6, "hatali", "gecersiz_telefon", False),
    ]
    short = told["satirlar"][1]
    assert short["alici"] == "0532 123"
    assert short["mesaj"] == "Digits are missing. A Turkish number has 10 digits after the country code."
    assert short["cozum"].startswith("Write it like +905321234567")
    assert told["kabul_edilir"]
    assert (told["ornek"], told["sure_sn"], told["gosterilmeyen"]) == ("Merhaba", 0, 0)
    assert told["tahmini_bitis_iso"]
    assert await server.rows() == 0
    assert (await client.get(f"{BASE}/toplu")).json()["data"] == []


async def test_it_speaks_turkish(client: httpx2.AsyncClient) -> None:
    told = (await client.post(URL, json={"alicilar": [{"telefon": "0532 123"}], "mesaj": "a"})).json()
    assert told["satirlar"][0]["mesaj"].startswith("Eksik hane var")
    assert (told["gonderilecek"], told["ornek"], told["tahmini_bitis"]) == (0, None, None)


async def test_what_would_refuse_the_whole_list_is_told_row_by_row(client: httpx2.AsyncClient) -> None:
    lines: list[dict[str, Any]] = [
        {"telefon": ALI},
        {"telefon": VELI, "isim": "Veli", "degiskenler": {"tutar": "5"}},
        {"telefon": "+905321234568", "isim": "Can"},
        {"telefon": "+905321234569", "mesaj": "Bozuk {"},
        {"telefon": "+905321234560", "mesaj": "Bozuk {"},
    ]
    text = {"mesaj": "Sayın {isim}, {tutar} TL", "sablon": True}
    told = await check(client, *lines, **text)
    assert rows(told) == [(line, "hatali", "gecersiz_sablon", True) for line in (1, 3, 4, 5)]
    assert "«tutar»" in told["satirlar"][1]["mesaj"]
    assert told["satirlar"][1]["cozum"] == "Fill the cell, or write a fallback after a bar."
    assert not told["kabul_edilir"]
    assert told["ornek"] == "Sayın Veli, 5 TL"
    refused = await client.post(f"{BASE}/toplu-gonder", json={"alicilar": lines, **text})
    assert refused.status_code == 422, "as was told"


async def test_each_file_is_looked_at_and_none_is_taken(client: httpx2.AsyncClient, server: Server) -> None:
    (server.files / "1.pdf").write_bytes(b"%PDF-1.7\n")
    (server.files / "3.pdf").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    people = [{"telefon": f"+90532123456{each}", "degiskenler": {"no": each}} for each in range(1, 4)]
    told = await check(client, *people, dosya_yolu="{no}.pdf", sablon=True)
    assert rows(told) == [
        (2, "hatali", "dosya_acilamadi", False),
        (3, "hatali", "dosya_turu", False),
    ]
    assert not [path for path in server.store.path.parent.rglob("*") if len(path.name) == 64]


async def test_files_want_their_permission(server: Server, connect: Connect) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.BULK}))) as sender:
        body = {"alicilar": [{"telefon": ALI, "dosya_yolu": "a.pdf"}], "mesaj": "a"}
        assert (await sender.post(URL, json=body)).status_code == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mesaj": "Sayın {isim", "sablon": True}, "gecersiz_sablon"),
        ({"mesaj": " "}, "bos_mesaj"),
        ({"planlanan_zaman": "2020-01-01 10:00:00"}, "gecersiz_zaman"),
        ({"alicilar": []}, "gecersiz_alan"),
    ],
)
async def test_what_is_wrong_with_the_whole_is_refused(
    client: httpx2.AsyncClient, change: dict[str, Any], code: str
) -> None:
    answer = await client.post(URL, json={"alicilar": [{"telefon": ALI}], "mesaj": "a"} | change)
    assert (answer.status_code, answer.json()["kod"]) == (422, code)


async def test_an_undefined_category_is_told_once(client: httpx2.AsyncClient) -> None:
    told = await check(client, {"telefon": ALI}, {"telefon": VELI}, tur_id=77)
    assert (told["uyari"], told["satirlar"]) == ("bilinmeyen_tur", [])


async def test_a_long_list_of_slips_is_bounded(client: httpx2.AsyncClient) -> None:
    told = await check(client, *({"telefon": "abc"} for _ in range(1_200)))
    assert (len(told["satirlar"]), told["gosterilmeyen"], told["hatali"]) == (1_000, 200, 1_200)


@pytest.mark.usefixtures("paused")
async def test_on_a_line_that_stands_still_no_end_is_promised(client: httpx2.AsyncClient) -> None:
    told = await check(client, {"telefon": ALI})
    assert (told["gonderilecek"], told["tahmini_bitis"]) == (1, None)


async def test_the_end_of_a_planned_list_is_after_its_time(client: httpx2.AsyncClient, server: Server) -> None:
    await client.patch(
        f"{BASE}/hesaplar/{server.account.id}", json={"araliklar": {"toplu": {"en_az": 10.0, "en_cok": 20.0}}}
    )
    planned = (server.clock.now().replace(microsecond=0)).isoformat()
    told = await check(client, {"telefon": ALI}, {"telefon": VELI}, planlanan_zaman=planned)
    assert told["sure_sn"] == 30
