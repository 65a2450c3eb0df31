"""The pages without a browser: what they show, to whom, and what becomes of a form that is filled badly."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.message import Status

pytestmark = pytest.mark.anyio

AYSE = "+905321234567"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


def form(**given: str) -> dict[str, str]:
    return {"telefon": AYSE, "mesaj": "Merhaba Ayşe", "tur": "10", "hesap": "1", **given}


async def send(made: Panel, **given: str) -> int:
    answer = await made.post("/panel/gonder", form(**given))
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].partition("kayit=")[2])


PAGES = (
    "/panel",
    "/panel/hesaplar",
    "/panel/hesaplar/1",
    "/panel/gonder",
    "/panel/mesajlar",
    "/panel/gelenler",
    "/panel/anahtarlar",
)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_told_in_both_languages(made: Panel, path: str) -> None:
    turkish = await made.get(path)
    english = await made.get(path, **{"Accept-Language": "en"})
    assert (turkish.status_code, english.status_code) == (200, 200)
    assert '<html lang="tr"' in turkish.text
    assert '<html lang="en"' in english.text
    title = re.search("<h1[^>]*>(.*?)</h1>", turkish.text)
    assert title is not None
    assert f"<title>{title[1]} · Güvercin</title>" in turkish.text


async def test_a_message_is_sent_and_its_way_is_told(made: Panel) -> None:
    log_id = await send(made, isim="Ayşe <b>Hanım</b>", mesaj="*Merhaba* <script>alert(1)</script> {{7*7}}")
    page = (await made.get(f"/panel/mesajlar/{log_id}")).text
    assert "Ayşe &lt;b&gt;Hanım&lt;/b&gt;" in page
    assert "<strong>Merhaba</strong> &lt;script&gt;" in page
    assert "{{7*7}}" in page
    assert "gönderen: yönetici" in page
    assert "+90 532 123 45 67" in (await made.get("/panel/mesajlar")).text


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"telefon": "0532 123"}, "telefon", "Eksik"),
        ({"telefon": "9,05321E+11"}, "telefon", "yuvarla"),
        ({"mesaj": " "}, "mesaj", "metni yok"),
        ({"mesaj": "a" * 4_097}, "mesaj", "uzun"),
        ({"isim": "a" * 300}, "isim", "uzun"),
    ],
)
async def test_a_bad_field_is_told_at_its_place_and_nothing_typed_is_lost(
    made: Panel, given: dict[str, str], field: str, told: str
) -> None:
    answer = await made.post("/panel/gonder", form(isim="Ayşe") | given)
    assert answer.status_code == 422
    at = re.search(f'id="{field}-hata">(.*?)</div>', answer.text, re.DOTALL)
    assert at is not None
    assert told.lower() in at[1].lower()
    assert re.search(f'(id="{field}"[^>]*aria-invalid="true")', answer.text)
    for name, value in (form(isim="Ayşe") | given).items():
        assert value.strip() in answer.text, name
    assert await made.server.rows() == 0


async def test_a_file_goes_with_its_text_and_outlives_a_slip_elsewhere(made: Panel) -> None:
    pdf = b"%PDF-1.4\n" + b"x" * 100
    slip = await made.post("/panel/gonder", form(telefon="0532"), files={"dosya": ("fatura.pdf", pdf)})
    assert slip.status_code == 422
    kept = re.search(r'name="dosya_id" value="([0-9a-f]+)"', slip.text)
    assert kept is not None
    assert "Duruyor: fatura.pdf" in slip.text
    sent = await made.post("/panel/gonder", form(dosya_id=kept[1], dosya_adi="fatura.pdf"))
    assert sent.status_code == 303
    assert "fatura.pdf" in (await made.get("/panel/mesajlar")).text


async def test_a_file_of_another_kind_is_refused_at_its_field(made: Panel) -> None:
    answer = await made.post("/panel/gonder", form(), files={"dosya": ('"><script>.exe', b"MZ" * 50)})
    assert answer.status_code == 422
    assert re.search(r'id="dosya-hata">\s*<svg.*?<span>[^<]+</span>', answer.text, re.DOTALL)
    assert "<script>." not in answer.text


async def test_a_form_that_is_sent_twice_is_one_message(made: Panel) -> None:
    page = (await made.get("/panel/gonder")).text
    key = re.search(r'name="_tek" value="([0-9a-f]+)"', page)
    assert key is not None
    first, second = [await made.post("/panel/gonder", form(_tek=key[1])) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert await made.server.rows() == 1
    # Sent once more on purpose, from a form of its own, the same text goes again.
    await send(made)
    assert await made.server.rows() == 2


async def test_whoever_only_looks_sees_numbers_masked_everywhere(made: Panel) -> None:
    log_id = await send(made)
    await as_viewer(made)
    for path in (*PAGES, f"/panel/mesajlar/{log_id}"):
        page = (await made.get(path)).text
        assert AYSE not in page, path
        assert "532 123 45 67" not in page, path
    assert "+90 532 *** ** 67" in (await made.get("/panel/mesajlar")).text


async def test_the_log_is_narrowed_by_its_address(made: Panel) -> None:
    await send(made, telefon="+905000000002")
    await send(made, telefon=AYSE)
    rows = re.compile(r'href="/panel/mesajlar/(\d+)"')
    assert set(rows.findall((await made.get("/panel/mesajlar?ara=0532 123 45 67")).text)) == {"2"}
    assert (await made.get("/panel/mesajlar?ara=2")).headers["location"] == "/panel/mesajlar/2"
    assert "Bu süzgeçle mesaj yok." in (await made.get("/panel/mesajlar?tur=1")).text
    for odd in ("?ara=%00%ff", "?hesap=99999999999999999999", "?sonra=x", "?tarih=dün", "?durum=yok"):
        assert (await made.get(f"/panel/mesajlar{odd}")).status_code in {200, 303}, odd


async def test_what_waits_is_withdrawn_and_sent_again(made: Panel) -> None:
    owner = (await made.server.house.people.every())[0].token
    await made.server.gateway.accounts.pause(owner, 1)
    log_id = await send(made)
    assert "Geri çek" in (await made.get(f"/panel/mesajlar/{log_id}")).text
    await made.post(f"/panel/mesajlar/{log_id}/iptal", {})
    found, _ = await made.server.gateway.messages.one(owner, log_id)
    assert found.status is Status.CANCELLED
    again = await made.post(f"/panel/mesajlar/{log_id}/yeniden", {"_tek": "a" * 32})
    assert again.headers["location"] == f"/panel/mesajlar/{log_id + 1}"


async def test_a_key_is_shown_once_and_revoked(made: Panel) -> None:
    bad = await made.post("/panel/anahtarlar", {"ad": ""})
    assert bad.status_code == 422
    assert {"ad-hata", "izin-hata"} <= set(re.findall(r'id="([a-z]+-hata)"', bad.text))
    new = await made.post("/panel/anahtarlar", {"ad": "Muhasebe", "izin": ["gonder", "oku"], "sure": "30"})
    secret = re.search(r"gv_[0-9a-f]{64}", new.text)
    assert secret is not None
    assert new.headers["cache-control"] == "no-store"
    for name in ("cURL", "Python", "PHP", "C#", "JavaScript", "Node-RED"):
        assert f"<summary>{name}</summary>" in new.text
    asked = {"Authorization": f"Bearer {secret[0]}"}
    assert (await made.client.get("/api/v1/whatsapp/hesaplar", headers=asked)).status_code == 200
    page = (await made.get("/panel/anahtarlar")).text
    assert "Muhasebe" in page
    assert secret[0] not in page
    (key_id,) = re.findall(r"/panel/anahtarlar/(\d+)/iptal", page)
    await made.post(f"/panel/anahtarlar/{key_id}/iptal", {})
    assert (await made.client.get("/api/v1/whatsapp/hesaplar", headers=asked)).status_code == 401
    people = (await made.server.house.people.every())[0]
    assert (await made.post(f"/panel/anahtarlar/{people.token.id}/iptal", {})).status_code == 404


async def test_an_account_is_added_with_open_eyes_and_removed_by_name(made: Panel) -> None:
    refused = await made.post("/panel/hesaplar/yeni", {"isim": "Dükkân hattı"})
    assert refused.status_code == 422
    assert "anladim-hata" in refused.text
    assert 'value="Dükkân hattı"' in refused.text
    added = await made.post("/panel/hesaplar/yeni", {"isim": "Dükkân hattı", "anladim": "1"})
    assert added.headers["location"] == "/panel/hesaplar/2/bagla"
    assert "QR kodu göster" in (await made.get("/panel/hesaplar/2/bagla")).text
    assert (await made.post("/panel/hesaplar/2", {"isim": ""})).status_code == 422
    await made.post("/panel/hesaplar/2", {"isim": "Depo", "belirsiz": "vazgec"})
    assert (await made.post("/panel/hesaplar/2/sil", {"onay": "Dükkân hattı"})).status_code == 422
    assert (await made.post("/panel/hesaplar/2/sil", {"onay": "Depo"})).headers["location"] == "/panel/hesaplar"
    assert (await made.get("/panel/hesaplar/2")).status_code == 404


async def test_a_number_is_looked_at_while_it_is_typed(made: Panel) -> None:
    said = {
        "0532 123 45 67": "+90 532 123 45 67",
        "0212 555 11 22": "sabit hat",
        "0532": "Eksik",
        "<img src=x>": "harf",
    }
    for number, told in said.items():
        answer = (await made.client.get("/panel/gonder/numara", params={"telefon": number})).text
        assert told.lower() in answer.lower(), answer
        assert "<img" not in answer
