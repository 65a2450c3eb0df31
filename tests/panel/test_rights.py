"""A person's data and who did what: looked at, handed over, kept, destroyed; and a list that shows who touched it."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.audit import ACTOR, Act
from guvercin.core.message import Status
from guvercin.core.outcome import Inbound
from guvercin.panel.audit import ACTS
from guvercin.store.writer import _DECIDED

pytestmark = pytest.mark.anyio

DATA, AUDIT = "/panel/ayarlar/kisinin-verileri", "/panel/ayarlar/kim-ne-yapti"
AYSE, WRITTEN = "+905321234567", "0532 123 45 67"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def acquainted(made: Panel) -> None:
    """Let there be something of everything: two messages, one of which waits, an answer and a refusal."""
    form = {"telefon": AYSE, "mesaj": "Sır <b>metni</b>", "isim": "Ayşe Yılmaz", "tur": "10", "hesap": "1"}
    assert (await made.post("/panel/gonder", form)).status_code == 303
    while (row := await made.server.store.message(1)) is None or row.status in {Status.QUEUED, Status.SENDING}:
        await made.server.clock.sleep_until(made.server.clock.monotonic() + 0.01)
    now = made.server.clock.now()
    await made.server.store.receive_inbound(1, Inbound(remote_id="I", sender=AYSE, text="Teşekkürler", at=now), now=now)
    owner = (await made.server.house.people.every())[0].token
    await made.server.gateway.accounts.pause(owner, 1)
    assert (await made.post("/panel/gonder", form | {"mesaj": "Bekleyen"})).status_code == 303


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_what_is_held_is_counted_and_handed_over_word_for_word(made: Panel) -> None:
    await acquainted(made)
    found = await made.post(DATA, {"telefon": WRITTEN})
    assert found.status_code == 200
    assert "+90 532 123 45 67 hakkında tutulanlar" in found.text
    assert "Bu numaraya giden mesajlar 2" in text(found.text)
    assert "Size yazdıkları 1" in text(found.text)
    file = await made.post(f"{DATA}/indir", {"telefon": AYSE})
    assert file.headers["content-disposition"] == 'attachment; filename="kisi-905321234567.json"'
    assert file.headers["cache-control"] == "no-store"
    told = json.loads(file.content)["data"]
    assert told["telefon"] == AYSE
    assert sorted(each["mesaj"] for each in told["mesajlar"]) == ["Bekleyen", "Sır <b>metni</b>"]
    page = (await made.get(AUDIT)).text
    assert page.count("Bir kişinin verilerine baktı") == 2
    assert re.search(r"Bir kişi: [0-9a-f]{8}<", page)
    assert AYSE[-10:] not in page, "the audit holds no numbers"


@pytest.mark.parametrize("path", [DATA, f"{DATA}/indir", f"{DATA}/saklama"])
async def test_a_number_that_is_none_is_told_at_its_place(made: Panel, path: str) -> None:
    answer = await made.post(path, {"telefon": "0532"})
    assert answer.status_code == 422
    assert "Eksik" in answer.text
    assert 'id="telefon-hata"' in answer.text


async def test_somebody_is_destroyed_only_by_name_and_what_goes_is_said_before(made: Panel) -> None:
    await acquainted(made)
    page = text((await made.post(DATA, {"telefon": WRITTEN})).text)
    assert "2 mesajın metni, adı ve numarası" in page
    assert "bekleyen 1 mesaj (geri çekilir)" in page
    assert "size yazdıkları 1 mesaj" in page
    for other in ("", "0532 123 45 68", "evet"):
        refused = await made.post(f"{DATA}/sil", {"telefon": AYSE, "onay": other})
        assert refused.status_code == 422
        assert "Bu başka bir numara." in refused.text
    assert "Ayşe Yılmaz" in (await made.get("/panel/mesajlar")).text
    gone = await made.post(f"{DATA}/sil", {"telefon": AYSE, "onay": WRITTEN})
    assert gone.status_code == 200
    assert "Unutuldu. Mesaj: 2" in gone.text
    assert "532" not in gone.text
    log = (await made.get("/panel/mesajlar")).text
    assert "Ayşe" not in log
    assert "metni" not in log
    assert "Bu numaraya giden mesajlar 0" in text((await made.post(DATA, {"telefon": AYSE})).text)
    assert "Bir kişinin verilerini sildi" in (await made.get(AUDIT)).text


async def test_what_the_law_wants_kept_is_kept(made: Panel) -> None:
    await acquainted(made)
    held = await made.post(f"{DATA}/saklama", {"telefon": AYSE, "yap": "sakla", "neden": "2026/114 <E>"})
    assert "2026/114 &lt;E&gt;" in held.text
    assert "Saklamayı bitir" in held.text
    refused = await made.post(f"{DATA}/sil", {"telefon": AYSE, "onay": AYSE})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert "Ayşe Yılmaz" in (await made.get("/panel/mesajlar")).text
    long = await made.post(f"{DATA}/saklama", {"telefon": "+905321234568", "yap": "sakla", "neden": "a" * 201})
    assert 'id="neden-hata"' in long.text
    for _ in range(2):
        assert "Saklamaya al" in (await made.post(f"{DATA}/saklama", {"telefon": AYSE, "yap": "birak"})).text
    assert "Unutuldu" in (await made.post(f"{DATA}/sil", {"telefon": AYSE, "onay": AYSE})).text


async def test_whoever_only_looks_learns_nothing_of_it(made: Panel) -> None:
    await acquainted(made)
    await as_viewer(made)
    for path in (DATA, AUDIT):
        assert (await made.get(path)).status_code == 403
        assert path not in (await made.get("/panel/ayarlar")).text
    for path in (DATA, f"{DATA}/indir", f"{DATA}/sil", f"{DATA}/saklama"):
        assert (await made.post(path, {"telefon": AYSE, "onay": AYSE})).status_code == 403


def test_every_deed_has_its_words() -> None:
    assert {str(each) for each in (*Act, *_DECIDED)} == {str(each) for each in ACTS}


async def test_the_list_is_narrowed_by_person_and_day(made: Panel) -> None:
    await made.post("/panel/istemeyenler", {"telefon": AYSE, "kapsam": "her_sey"})
    ACTOR.set(None)  # what is done next, nobody asked for
    await made.server.store.set_stop_words(["kapat"], now=made.server.clock.now())
    owner = (await made.server.house.people.every())[0].token

    async def deeds(**asked: str) -> list[str]:
        page = (await made.client.get(AUDIT, params=asked)).text
        return [said for said in ("Mesaj istemeyenlere ekledi", "sözlerini değiştirdi") if said in page]

    today = made.server.clock.now().astimezone(ZoneInfo("Europe/Istanbul")).date()
    yesterday, tomorrow = (today + timedelta(days=n) for n in (-1, 1))
    both = ["Mesaj istemeyenlere ekledi", "sözlerini değiştirdi"]
    assert await deeds() == both
    assert await deeds(kim=str(owner.id)) == both[:1]
    assert await deeds(kim="sistem") == both[1:]
    assert await deeds(kim="99") == []
    assert await deeds(bas=str(today), bit=str(today)) == both
    assert await deeds(bit=str(yesterday)) == []
    assert await deeds(bas=str(tomorrow)) == []
    for odd in ("9999-12-31", "0001-01-01", "dün"):
        assert await deeds(bas=odd, bit=odd, sonra="x", kim="x" * 30) == both
    assert 'href="/panel/hesaplar/1"' not in (await made.get(f"{AUDIT}?kim=sistem")).text


async def test_a_hand_in_the_database_shows(made: Panel) -> None:
    for word in ("bir", "iki", "üç"):
        await made.server.store.set_stop_words([word], now=made.server.clock.now())
    page = (await made.get(AUDIT)).text
    found = re.search(r"Liste eksiksiz: (\d+) kayıt", page)
    assert found is not None
    newest = int(found[1])
    await made.server.store._writer.do(
        lambda tx: tx.execute("UPDATE audit SET detail = '{}' WHERE id = ?", (newest - 1,))
    )
    touched = (await made.get(AUDIT)).text
    assert "Liste eksiksiz" not in touched
    assert f"{newest - 1} numaralı" in touched


async def test_a_long_list_is_gone_through_when_somebody_asks(made: Panel) -> None:
    token = (await made.server.house.people.every())[0].token
    assert await made.server.gateway.rights.chain(token, at_most=0) is None
    whole = await made.server.gateway.rights.chain(token, at_most=None)
    assert whole is not None
    assert whole.broken_at is None
    assert "Liste eksiksiz" in (await made.get(f"{AUDIT}?zincir=1")).text
