"""`POST /toplu/dosya` and `POST /toplu/taslak/{id}/baslat`: a shop's own list, looked through, then started once."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import httpx2
import openpyxl
import pytest
from tests.api.conftest import BASE, Connect, Server

from guvercin.api.wire.ground import MOST_RECIPIENTS
from guvercin.core.token import Permission
from guvercin.gateway.lists import DRAFTS_KEPT

URL = f"{BASE}/toplu/dosya"
LIST = "Cari Adı;Cep Tel;Borç (TL)\nAyşe;0532 123 45 67;1.250,00\nIşık;0532 123 45 68;900\n\nKötü;abc;5\n"
TEXT = "Sayın {isim}, {borç tl} TL"


def excel() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Ad", "Soyad", "Telefon"])
    book.active.append(["Ayşe", "Öz", 5321234567])
    book.active.append(["Can", "Ak", "0532 123 45 68 / 0212 123 45 67"])
    book.save(file)
    return file.getvalue()


async def upload(client: httpx2.AsyncClient, content: bytes, name: str = "liste.csv", **fields: str) -> httpx2.Response:
    return await client.post(
        URL, files={"dosya": (name, content)}, data={"mesaj": "Merhaba", **fields}, headers={"Accept-Language": "en"}
    )


async def test_a_list_is_read_looked_through_and_started_once(client: httpx2.AsyncClient, server: Server) -> None:
    answer = await upload(client, LIST.encode("cp1254"), mesaj=TEXT, tur_id="5")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["total"], told["gonderilecek"], told["hatali"], told["mukerrer"]) == (3, 2, 1, 0)
    assert [(row["satir"], row["kod"]) for row in told["satirlar"]] == [(5, "gecersiz_telefon")]
    assert told["ornek"] == "Sayın Ayşe, 1.250,00 TL"
    assert told["basliklar"] == ["Cari Adı", "Cep Tel", "Borç (TL)"]
    assert told["sutunlar"] == {"telefon": "Cep Tel", "isim": "Cari Adı", "soyisim": None, "referans": None}
    assert told["degiskenler"] == ["borc tl", "cari adi", "cep tel", "isim"]
    assert not told["bozuk_harf"]
    assert await server.rows() == 0

    start = f"{BASE}/toplu/taslak/{told['taslak_id']}/baslat"
    first = await client.post(start)
    assert first.json() == {"ok": True, "total": 3, "sent": 2, "failed": 1}
    again = await client.post(start)
    assert (again.json(), again.headers["Location"]) == (first.json(), first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await server.rows() == 3
    rows = (await client.get(f"{BASE}/gonderimler")).json()["data"]
    assert {(row["isim"], row["mesaj"], row["tur_id"]) for row in rows if row["durum"] != "failed"} == {
        ("Ayşe", "Sayın Ayşe, 1.250,00 TL", 5),
        ("Işık", "Sayın Işık, 900 TL", 5),
    }


async def test_a_list_may_be_longer_than_a_call(client: httpx2.AsyncClient) -> None:
    people = "\n".join(f"0532{number:07}" for number in range(MOST_RECIPIENTS + 1))
    told = (await upload(client, f"Telefon\n{people}".encode())).json()
    assert told["gonderilecek"] == MOST_RECIPIENTS + 1
    start = f"{BASE}/toplu/taslak/{told['taslak_id']}/baslat"
    answer = await client.post(start, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json()["total"]) == (202, MOST_RECIPIENTS + 1)


async def test_an_excel_list_and_what_is_doubtful_in_it(client: httpx2.AsyncClient) -> None:
    told = (await upload(client, excel(), "liste.xlsx", mesaj="Sayın {isim}")).json()
    assert told["sutunlar"] == {"telefon": "Telefon", "isim": "Ad", "soyisim": "Soyad", "referans": None}
    assert told["ornek"] == "Sayın Ayşe Öz"
    assert [(row["satir"], row["sonuc"], row["kod"]) for row in told["satirlar"]] == [
        (3, "gonderilecek", "birden_cok_numara")
    ]


async def test_a_list_without_heads(client: httpx2.AsyncClient) -> None:
    told = (await upload(client, b"05321234567;Ali\n05321234568;Veli\n")).json()
    assert (told["gonderilecek"], told["basliklar"], told["sutunlar"]["telefon"]) == (2, [], None)


async def test_the_columns_can_be_chosen(client: httpx2.AsyncClient) -> None:
    content = "Telefon;Eşinin Cebi;Ad;Lakap\n02121234567;05321234567;Ayşe;Ayş\n".encode()
    chosen = json.dumps({"telefon": "eşinin cebi", "isim": "Lakap"})
    told = (await upload(client, content, sutunlar=chosen, mesaj="{isim}, {lakap}, {eşinin cebi}")).json()
    assert (told["sutunlar"]["telefon"], told["sutunlar"]["isim"]) == ("Eşinin Cebi", "Lakap")
    assert told["ornek"] == "Ayş, Ayş, 05321234567", "a chosen column fills its own place too"
    for wrong, fault in (
        ('{"telefon": "Yok"}', "There is no column «Yok» in the first line."),
        ("[1", "not valid"),
        ('{"telefon": 5}', "not valid"),
    ):
        refused = await upload(client, content, sutunlar=wrong)
        assert refused.status_code == 422
        assert refused.json()["alanlar"][0]["alan"] == "sutunlar"
        assert fault in refused.json()["alanlar"][0]["mesaj"]


async def test_a_list_that_can_not_be_sent_has_no_draft(client: httpx2.AsyncClient) -> None:
    told = (await upload(client, LIST.encode(), mesaj="{vade}")).json()
    assert (told["kabul_edilir"], told["taslak_id"], told["gecerlilik"]) == (False, None, None)
    assert "«vade»" in told["satirlar"][0]["mesaj"]
    long = (await upload(client, f"telefon;isim\n05321234567;{'x' * 300}\n".encode())).json()
    assert (long["satirlar"][0]["kod"], long["taslak_id"]) == ("gecersiz_alan", None)


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(10_000_000))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "bos_liste"),
        (b"telefon;isim\n", "bos_liste"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "eski_excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "sifreli"),
        (bomb(), "supheli_arsiv"),
        (b"PK\x03\x04" + b"x" * 50, "bozuk"),
        (b"a\x00b;c\n", "metin_degil"),
        (b"telefon\n" + b"05321234567\n" * 20_001, "cok_satir"),
        (b"ad;soyad\nAli;Veli\n", "telefon_sutunu_yok"),
    ],
)
async def test_what_is_no_list_says_why_and_what_to_do(client: httpx2.AsyncClient, content: bytes, fault: str) -> None:
    answer = await upload(client, content)
    assert (answer.status_code, answer.json()["kod"]) == (422, "liste_okunamadi")
    (told,) = answer.json()["alanlar"]
    assert (told["alan"], told["kod"]) == ("dosya", fault)
    assert len(told["mesaj"].split(". ")) >= 2, "what is the matter, and the remedy"


async def test_too_large(client: httpx2.AsyncClient) -> None:
    assert (await upload(client, bytes(10_100_000))).json()["kod"] == "govde_buyuk"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"mesaj": ""}, "bos_mesaj"),
        ({"mesaj": "{"}, "gecersiz_sablon"),
        ({"tur_id": "x"}, "gecersiz_tur"),
        ({"planlanan_zaman": "2020-01-01 10:00:00"}, "gecersiz_zaman"),
    ],
)
async def test_the_other_fields_are_checked(client: httpx2.AsyncClient, fields: dict[str, str], code: str) -> None:
    answer = await upload(client, b"05321234567\n", **fields)
    assert (answer.status_code, answer.json()["kod"]) == (422, code)


async def test_it_wants_a_form_with_a_file(client: httpx2.AsyncClient) -> None:
    assert (await client.post(URL, json={})).status_code == 415
    assert (await client.post(URL, files={"baska": b"x"}, data={"mesaj": "a"})).status_code == 422


# -- whose a draft is, and how long


async def draft(client: httpx2.AsyncClient) -> str:
    return str((await upload(client, b"05321234567\n")).json()["taslak_id"])


async def test_a_draft_is_its_token_s_alone(server: Server, client: httpx2.AsyncClient, connect: Connect) -> None:
    draft_id = await draft(client)
    async with connect(await server.token()) as other:
        answers = [await other.post(f"{BASE}/toplu/taslak/{each}/baslat") for each in (draft_id, "0" * 32)]
    assert [answer.status_code for answer in answers] == [404, 404]
    told = [{**answer.json(), "instance": "", "istek_id": ""} for answer in answers]
    assert told[0] == told[1]
    assert await server.rows() == 0


async def test_a_draft_is_kept_for_a_day(server: Server, client: httpx2.AsyncClient) -> None:
    owner = (await server.store.tokens())[-1]
    now = server.clock.now()
    old, young = "a" * 32, "b" * 32
    body = b'{"alicilar":[{"telefon":"+905321234567"}],"mesaj":"a"}'
    await server.store.keep_draft(old, owner.id, body, now=now - DRAFTS_KEPT - timedelta(seconds=1))
    await server.store.keep_draft(young, owner.id, body, now=now - DRAFTS_KEPT + timedelta(minutes=5))
    assert (await client.post(f"{BASE}/toplu/taslak/{old}/baslat")).status_code == 404
    await server.store.forget(now=now)
    assert await server.store.draft(old) is None
    assert (await client.post(f"{BASE}/toplu/taslak/{young}/baslat")).status_code == 200


async def test_files_want_their_permission(server: Server, connect: Connect) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.BULK}))) as sender:
        refused = await upload(sender, b"05321234567\n", dosya_yolu="a.pdf")
        assert (refused.status_code, refused.json()["kod"]) == (403, "yetki_yok")
        assert (await upload(sender, b"05321234567\n")).status_code == 200


async def test_a_started_draft_is_known_again_when_its_file_is_gone(server: Server, client: httpx2.AsyncClient) -> None:
    file: Any = server.files / "a.pdf"
    file.write_bytes(b"%PDF-1.7\n")
    told = (await upload(client, b"05321234567\n", dosya_yolu="a.pdf")).json()
    start = f"{BASE}/toplu/taslak/{told['taslak_id']}/baslat"
    first = await client.post(start, headers={"Prefer": "respond-async"})
    file.unlink()
    again = await client.post(start)
    assert again.headers["Location"] == first.headers["Location"]
