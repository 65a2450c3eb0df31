"""A bulk from its list to its report: nothing leaves before a yes, and every number adds up."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

pytestmark = pytest.mark.anyio

LIST = (
    "Telefon;Ad Soyad;Borç TL\r\n"
    "0532 123 45 67;Ayşe Yılmaz;1.250,00\r\n"
    "5339876543;Mehmet Öz;480,50\r\n"
    "9,05321E+11;Fatma Işık;90,00\r\n"
    "+90 532 123 45 67;Ayşe Y.;1.250,00\r\n"
    "0544 222 33 44;=cmd|' /C calc'!A0;75,00\r\n"
)
TEXT = "Merhaba {isim|dostumuz}, {borc_tl} TL bakiyeniz var."


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def upload(made: Panel, raw: bytes, name: str = "musteriler.csv") -> str:
    answer = await made.post("/panel/toplu/yeni", {}, files={"dosya": (name, raw)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def write(made: Panel, address: str, text: str = TEXT) -> str:
    """Go on to the check with a text; answers the address of the draft."""
    draft = address
    if draft.endswith("/sutunlar"):
        columns = {"sutun-0": "telefon", "sutun-1": "isim", "sutun-2": "-"}
        draft = (await made.post(draft, columns)).headers["location"]
    return str((await made.post(draft, {"mesaj": text, "hesap": "1", "tur": "10"})).headers["location"])


async def test_from_a_list_to_its_report(made: Panel) -> None:
    draft = await write(made, await upload(made, LIST.encode("cp1254")))
    page = (await made.get(draft)).text
    counts = [int(n) for n in re.findall(r'goster=\w+"[^>]*><strong class="num">(\d+)', page)]
    assert counts == [3, 1, 1], "to be sent, bad, repeats: all five rows"
    assert "Ayşe Yılmaz böyle görecek" in page
    assert "Merhaba Ayşe Yılmaz, 1.250,00 TL bakiyeniz var." in page
    assert "2. satırla aynı numara" in page
    assert "3 mesajı göndermeye başla" in page
    assert await made.server.rows() == 0
    # Nothing goes without a word about consent.
    refused = await made.post(f"{draft}/baslat", {})
    assert refused.status_code == 422
    assert "izin-hata" in refused.text
    assert await made.server.rows() == 0
    started = [await made.post(f"{draft}/baslat", {"izin": "1"}) for _ in range(2)]
    assert {answer.headers["location"] for answer in started} == {"/panel/toplu/1"}, "it starts once"
    assert await made.server.rows() == 5
    shown = (await made.get("/panel/toplu/1")).text
    legend = [int(n) for n in re.findall(r'<li><span class="key[^>]*></span>[^<]*<strong class="num">(\d+)', shown)]
    assert sum(legend) == 5
    report = await made.get("/panel/toplu/1/rapor.csv")
    assert report.content.startswith("\ufeff".encode())
    lines = report.text.removeprefix("\ufeff").splitlines()
    assert len(lines) == 6
    assert "'=cmd|" in report.text, "no cell is a formula"
    assert "+90 532 123 45 67" in report.text


async def test_a_place_that_no_column_fills_is_told_with_what_may_be_meant(made: Panel) -> None:
    draft = await write(made, await upload(made, LIST.encode()), "Merhaba {ismi}")
    page = (await made.get(draft)).text
    assert "{ismi} diye bir sütun yok. {isim} mi demek istediniz?" in page
    assert "göndermeye başla" not in page
    broken = await write(made, draft, "Merhaba {isim")
    assert re.search('id="mesaj-hata">.*?{', (await made.get(broken)).text, re.DOTALL)


async def test_exactly_one_column_is_the_phone(made: Panel) -> None:
    address = await upload(made, LIST.encode())
    assert address.endswith("/sutunlar")
    answer = await made.post(address, {"sutun-0": "-", "sutun-1": "isim", "sutun-2": "-"})
    assert answer.status_code == 422
    assert "Telefon sütunu hangisi?" in answer.text


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("bos.csv", b"", "boş"),
        ("eski.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel"),
        ("resim.xlsx", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "liste"),
        ("cok.csv", b"telefon\n" + b"05321234567\n" * 20_001, "20.000"),
        ("buyuk.csv", b"telefon\n" + b"0" * 10_000_001, "10 MB"),
    ],
)
async def test_a_list_that_can_not_be_read_says_what_to_do(made: Panel, name: str, raw: bytes, told: str) -> None:
    answer = await made.post("/panel/toplu/yeni", {"numaralar": "yazdıklarım"}, files={"dosya": (name, raw)})
    assert answer.status_code == 422
    at = re.search(r'id="dosya-hata">(.*?)</div>', answer.text, re.DOTALL)
    assert at is not None
    assert told in at[1]
    assert "yazdıklarım" in answer.text, "nothing typed is lost"


async def test_numbers_may_be_pasted(made: Panel) -> None:
    pasted = {"numaralar": "0532 123 45 67\n05339876543\nsaçma"}
    draft = (await made.post("/panel/toplu/yeni", pasted)).headers["location"]
    page = (await made.get(await write(made, draft, "Merhaba"))).text
    assert "Herkese birebir aynı metin riskli" in page
    assert "2 mesajı göndermeye başla" in page
    empty = await made.post("/panel/toplu/yeni", {"numaralar": " "})
    assert empty.status_code == 422


async def test_a_sample_goes_to_the_owner_first(made: Panel) -> None:
    draft = await write(made, await upload(made, LIST.encode()))
    bad = await made.post(f"{draft}/dene", {"benim": "0532"})
    assert bad.status_code == 422
    assert "benim-hata" in bad.text
    sent = await made.post(f"{draft}/dene", {"benim": "0555 555 55 55"})
    assert "denendi=1" in sent.headers["location"]
    assert "Merhaba Ayşe Yılmaz" in (await made.get("/panel/mesajlar/1")).text


async def test_a_bulk_is_paused_resumed_and_cancelled(made: Panel) -> None:
    owner = (await made.server.house.people.every())[0].token
    await made.server.gateway.accounts.pause(owner, 1)
    draft = await write(made, await upload(made, LIST.encode()))
    await made.post(f"{draft}/baslat", {"izin": "1"})
    assert "Siz kapattınız" in (await made.get("/panel/hesaplar")).text
    await made.post("/panel/toplu/1/duraklat", {})
    assert "Devam et" in (await made.get("/panel/toplu/1")).text
    await made.post("/panel/toplu/1/devam", {})
    assert "Duraklat" in (await made.get("/panel/toplu/1")).text
    await made.post("/panel/toplu/1/iptal", {})
    view = await made.server.gateway.batches.one(owner, 1)
    assert view.counts.is_finished
    assert (await made.post("/panel/toplu/1/yok", {})).status_code == 404


async def test_whoever_only_looks_has_masked_reports_and_no_drafts(made: Panel) -> None:
    draft = await write(made, await upload(made, LIST.encode()))
    await made.post(f"{draft}/baslat", {"izin": "1"})
    await as_viewer(made)
    report = (await made.get("/panel/toplu/1/rapor.csv")).text
    assert "+90 532 *** ** 67" in report
    assert "532 123 45 67" not in report
    assert (await made.get(draft)).status_code == 404
    assert (await made.post(f"{draft}/baslat", {"izin": "1"})).status_code == 403


async def test_a_reload_of_a_refused_form_leads_back_to_the_form(made: Panel) -> None:
    draft = await write(made, await upload(made, LIST.encode()))
    assert (await made.get(f"{draft}/baslat")).headers["location"] == draft
