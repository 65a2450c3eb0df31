"""The bulk pages without a browser: from a nasty list to its report, and what a slip on the way costs."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from tests.panel.desk import Panel, as_viewer, panel
from tests.panel.nasty import BAD, GOOD, REPEATED, nasty_excel

pytestmark = pytest.mark.anyio

NEW = "/panel/toplu/yeni"
ROLES = {"s0": "isim", "s1": "telefon", "s2": "degisken", "s3": "degisken"}
TEXT = "Merhaba {isim|değerli müşterimiz}, {borc_tl} TL"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def upload(made: Panel, content: bytes | None = None, name: str = "musteriler.xlsx") -> str:
    """Give a list; answers the address of its second step."""
    answer = await made.post(NEW, {}, files={"dosya": (name, nasty_excel() if content is None else content)})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def counts(page: str) -> dict[str, int]:
    """Answer what the check counted, by group."""
    found = re.findall(r'<strong class="num">([\d.]+)</strong> ([^<]+)</button>', page)
    return {word.strip(): int(n.replace(".", "")) for n, word in found}


async def start(made: Panel, *, numbers: str = "0532 123 45 67\n0533 987 65 43\n0544 222 33 44") -> int:
    """Start a bulk; answers its number."""
    draft = (await made.post(NEW, {"numaralar": numbers})).headers["location"]
    form = {"s0": "telefon", "mesaj": "Merhaba", "adim": "baslat", "izin": "1"}
    answer = await made.post(draft, form)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


async def owner(made: Panel):  # type: ignore[no-untyped-def] # noqa: ANN201 -- a token
    return (await made.server.house.people.every())[0].token


async def test_the_columns_of_a_nasty_list_are_guessed(made: Panel) -> None:
    page = (await made.get(await upload(made))).text
    chosen = re.findall(r'<select[^>]*name="(s\d)".*?<option value="(\w+)" selected>', page, re.DOTALL)
    assert dict(chosen) == ROLES
    assert "{son_odeme_tarihi}" in page
    assert "Çınar &lt;b&gt;Market" in (await made.post(await upload(made), ROLES)).text


async def test_the_check_accounts_for_every_row(made: Panel) -> None:
    draft = await upload(made)
    page = (await made.post(draft, {**ROLES, "mesaj": TEXT, "adim": "kontrol"})).text
    told = counts(page)
    assert told == {"gönderilecek": GOOD, "atlanacak": BAD, "tekrar": REPEATED}
    assert sum(told.values()) == int(re.findall(r"(\d+) satır</span>", page)[0])
    assert "2. satırla aynı numara" in page
    assert "Excel numarayı yuvarlamış" in page
    assert "Merhaba Ayşe Yılmaz, 1.250,00 TL" in page
    only = (await made.post(draft, {**ROLES, "mesaj": TEXT, "goster": "mukerrer"})).text
    assert len(re.findall('<td data-l="Satır"', only)) == REPEATED
    after = (await made.post(draft, {**ROLES, "mesaj": TEXT, "kisi": "0", "kisi_git": "1"})).text
    assert "Merhaba Mehmet Öz, 480,5 TL" in after


async def test_a_list_as_turkish_excel_writes_it_and_somebody_who_refused(made: Panel) -> None:
    await made.post("/panel/istemeyenler", {"telefon": "0533 987 65 43", "kapsam": "her_sey"})
    rows = (
        "Müşteri;Cep Tel;Borç",
        "Işıl Şimşek Öğünç;0532 123 45 67;1.250,00",
        "Mehmet Öz;5339876543;480,50",
        "Işıl;+90 532 123 45 67;1",
        ";0505 111 22 33;10",
        "Fatma;9,05321E+11;90",
        "=1+1;0544 222 33 44;75",
    )
    draft = await upload(made, "\r\n".join(rows).encode("cp1254"), "musteriler.csv")
    form = {"s0": "isim", "s1": "telefon", "s2": "degisken", "mesaj": "Merhaba {isim|dost}, {borc} TL"}
    page = (await made.post(draft, {**form, "adim": "kontrol"})).text
    told = counts(page)
    assert sum(told.values()) == len(rows) - 1
    assert told["gönderilecek"] == 3
    assert "Merhaba Işıl Şimşek Öğünç, 1.250,00 TL" in page
    assert told == {"gönderilecek": 3, "atlanacak": 1, "tekrar": 1, "mesaj istemiyor": 1}
    begun = await made.post(draft, {**form, "adim": "baslat", "izin": "1"})
    bulk = int(begun.headers["location"].rpartition("/")[2])
    report = await made.server.gateway.batches.one(await owner(made), bulk)
    assert report.counts.total == 3


async def test_the_rows_left_out_come_as_a_file_without_formulas(made: Panel) -> None:
    answer = await made.post(await upload(made), {**ROLES, "mesaj": TEXT, "adim": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    heads, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";")
    assert heads == ["Satır", "Telefon", "Ad", "Neden"]
    assert len(rows) == BAD + REPEATED
    assert all(row[3] for row in rows)


async def test_only_good_rows_are_sent_and_only_once(made: Panel) -> None:
    draft = await upload(made)
    form = {**ROLES, "mesaj": TEXT, "adim": "baslat", "izin": "1"}
    first = await made.post(draft, form)
    again = await made.post(draft, form)
    assert first.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    assert await made.server.rows() == GOOD
    other = await made.post(draft, {**form, "mesaj": "Başka"})
    assert other.status_code == 422
    assert "Bu liste zaten başlatıldı" in other.text
    assert await made.server.rows() == GOOD


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"izin": ""}, "izni olduğunu belirtin"),
        ({"mesaj": " "}, "Önce mesajı yazın"),
        ({"mesaj": "Merhaba {ismi}"}, "{ismi} diye bir sütun yok. {isim} mi demek istediniz?"),
        ({"mesaj": "Merhaba {"}, "ayraç"),
        ({"mesaj": "{zzz}"}, "{zzz} diye bir sütun yok."),
    ],
)
async def test_a_slip_is_told_at_its_field_and_starts_nothing(made: Panel, given: dict[str, str], told: str) -> None:
    form = {**ROLES, "mesaj": TEXT, "adim": "baslat", "izin": "1", "benim": "0532 000", **given}
    answer = await made.post(await upload(made), form)
    assert answer.status_code == 422
    field = "izin" if "izin" in given else "mesaj"
    at = re.search(f'id="{field}-hata">(.*?)</div>', answer.text, re.DOTALL)
    assert at is not None
    assert told in at[1]
    assert form["mesaj"].strip() in answer.text
    assert 'value="0532 000"' in answer.text
    assert await made.server.rows() == 0


async def test_a_value_that_some_rows_lack_gets_a_fallback(made: Panel) -> None:
    draft = await upload(made)
    page = (await made.post(draft, {**ROLES, "mesaj": "Merhaba {isim}"})).text
    assert "2 satırda {isim} boş" in page
    assert counts(page)["gönderilecek"] == GOOD - 2
    mended = (await made.post(draft, {**ROLES, "mesaj": "Merhaba {isim}", "duzelt": "isim"})).text
    assert "Merhaba {isim|değerli müşterimiz}" in mended
    assert counts(mended)["gönderilecek"] == GOOD


async def test_a_sample_goes_to_myself_alone(made: Panel) -> None:
    form = {**ROLES, "mesaj": TEXT, "adim": "deneme", "benim": "0505 999 88 77"}
    page = (await made.post(await upload(made), form)).text
    assert "Denemeniz yolda" in page
    assert await made.server.rows() == 1
    found, _ = await made.server.gateway.messages.one(await owner(made), 1)
    assert (found.recipient, found.content.text) == ("+905059998877", "Merhaba Ayşe Yılmaz, 1.250,00 TL")
    slip = await made.post(await upload(made), {**form, "benim": "12"})
    assert re.search('id="benim-hata">', slip.text)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "boş"),
        (b"PK\x03\x04" + b"x" * 50, "bozuk"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 50, ".xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "parola"),
        (b"a\x00b", "liste değil"),
        ("\n".join(f"0532{n:07}" for n in range(20_001)).encode(), "20.001 satır var"),
    ],
)
async def test_a_file_that_is_no_list_says_so_at_its_field(made: Panel, content: bytes, told: str) -> None:
    answer = await made.post(NEW, {"numaralar": "0532"}, files={"dosya": ('"><script>.xlsx', content)})
    assert answer.status_code == 422
    at = re.search(r'id="dosya-hata">.*?<span>(.*?)</span>', answer.text, re.DOTALL)
    assert at is not None
    assert told in at[1]
    assert "<script>." not in answer.text
    assert ">0532</textarea>" in answer.text


async def test_pasted_numbers_need_no_heads(made: Panel) -> None:
    answer = await made.post(NEW, {"numaralar": "0532 123 45 67, 0533 987 65 43"})
    page = (await made.post(answer.headers["location"], {"s0": "telefon"})).text
    assert counts(page) == {"gönderilecek": 2}
    page = (await made.get(answer.headers["location"])).text
    assert "Yapıştırılan numaralar" in page
    assert "Telefon sütunu hangisi?" in (await made.post(answer.headers["location"], {"s0": "yok"})).text


async def test_a_list_belongs_to_whoever_gave_it(made: Panel) -> None:
    draft = await upload(made)
    await as_viewer(made)
    assert (await made.get(draft)).status_code == 404
    assert (await made.get(f"{NEW}/{'0' * 32}")).status_code == 404


async def test_going_back_keeps_what_was_typed(made: Panel) -> None:
    page = (await made.post(await upload(made), {**ROLES, "mesaj": 'Merhaba "sen"', "adim": "sutunlar"})).text
    assert '<input type="hidden" name="mesaj" value="Merhaba &#34;sen&#34;">' in page


async def test_a_bulk_is_paused_resumed_and_cancelled(made: Panel) -> None:
    await made.server.gateway.accounts.pause(await owner(made), 1)
    bulk = await start(made)
    page = (await made.get(f"/panel/toplu/{bulk}")).text
    assert "Sırada</" in page or "Sırada " in page
    parts = [int(n) for n in re.findall(r'<strong class="num">(\d+)</strong></li>', page)]
    assert sum(parts) == 3
    assert "Bekliyor" in page
    await made.post(f"/panel/toplu/{bulk}/duraklat", {})
    page = (await made.get(f"/panel/toplu/{bulk}")).text
    assert "Duraklatıldı" in page
    assert "3 mesaj siz devam ettirene kadar bekler." in page
    assert f"Toplu gönderim no. {bulk}" in (await made.get("/panel/toplu?durum=duraklatildi")).text
    assert "Bu süzgeçle" in (await made.get("/panel/toplu?durum=suren")).text
    await made.post(f"/panel/toplu/{bulk}/devam", {})
    assert "Duraklatıldı:" not in (await made.get(f"/panel/toplu/{bulk}")).text
    asked = (await made.get(f"/panel/toplu/{bulk}/iptal")).text
    assert "Kalan 3 mesaj gönderilmez." in asked
    assert "Gönderilen 0 mesaj geri alınamaz." in asked
    await made.post(f"/panel/toplu/{bulk}/iptal", {})
    page = (await made.get(f"/panel/toplu/{bulk}")).text
    assert "0 mesaj gitmişti; 3 mesaj gitmeyecek." in page
    assert (await made.get(f"/panel/toplu/{bulk}/iptal")).status_code == 303


async def test_its_report_is_a_spreadsheet(made: Panel) -> None:
    bulk = await start(made)
    answer = await made.get(f"/panel/toplu/{bulk}/rapor.xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["Telefon", "905321234567", "905339876543", "905442223344"]
    assert (await made.get(f"/panel/toplu/{bulk}/rapor.csv")).content.startswith(b"\xef\xbb\xbf")
    assert (await made.get(f"/panel/toplu/{bulk}/rapor.exe")).status_code == 404
    assert (await made.get("/panel/toplu/99/rapor.csv")).status_code == 404


async def test_whoever_only_looks_sees_masked_numbers_and_changes_nothing(made: Panel) -> None:
    bulk = await start(made)
    await as_viewer(made)
    for path in ("/panel/toplu", f"/panel/toplu/{bulk}", NEW, f"/panel/toplu/{bulk}/rapor.csv"):
        answer = await made.get(path)
        assert answer.status_code == 200, path
        assert "5321234567" not in answer.text, path
        assert "532 123 45 67" not in answer.text.replace("0532 123 45 67; Ayşe", ""), path
        assert f"/panel/toplu/{bulk}/duraklat" not in answer.text
    for path in (f"/panel/toplu/{bulk}/duraklat", f"/panel/toplu/{bulk}/iptal", NEW):
        assert (await made.post(path, {"numaralar": "0532 123 45 67"})).status_code == 403
    assert (await made.get(f"/panel/toplu/{bulk}/iptal")).status_code == 403


async def test_the_empty_list_leads_on(made: Panel) -> None:
    page = (await made.get("/panel/toplu")).text
    assert "Müşteri listenizi Excel olarak yükleyin" in page
    sample = await made.get("/panel/toplu/ornek.xlsx")
    assert await upload(made, sample.content)
