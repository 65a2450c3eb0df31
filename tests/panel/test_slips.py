"""What goes wrong at a desk: a session over, a page too old, a second press, a second tab, a file too large.

Held against every form of the panel, as its own list of addresses has them.
"""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import PASSWORD, Panel, panel

from guvercin.gateway.files import MAX_FILE_SIZE
from guvercin.gateway.sheets import LARGEST_FILE
from guvercin.panel import accounts
from guvercin.panel.app import ROUTES
from guvercin.transports.base import Link, LinkState

pytestmark = pytest.mark.anyio

TYPED = {"mesaj": "Yarım kalan <söz>", "isim": "Ayşe"}


def forms() -> Iterator[str]:
    """Answer the address of every form behind the sign-in, its places filled."""
    for route in ROUTES:
        if "POST" in (route.methods or ()) and route.path.startswith("/panel"):
            yield re.sub(r"\{(\w+)(:\w+)?\}", "1", route.path)


FORMS = sorted(set(forms()))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> AsyncIterator[Panel]:
    """One panel for all: nothing here changes anything."""
    folder = tmp_path_factory.mktemp("panel")
    async with panel(folder, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


def test_every_form_is_held_to_it() -> None:
    assert len(FORMS) > 30


async def test_a_session_that_is_over_loses_nothing_that_was_typed(made: Panel) -> None:
    secret = made.client.cookies["guvercin"]
    made.client.cookies.clear()
    try:
        for path in FORMS:
            answer = await made.client.post(path, data=TYPED | {"eski_parola": "gizli", "parola": "gizli"})
            assert answer.status_code == 401, path
            assert 'name="tasi.mesaj" value="Yarım kalan &lt;söz&gt;"' in answer.text, path
            assert "gizli" not in answer.text, path
    finally:
        made.client.cookies.set("guvercin", secret)


async def test_a_page_that_is_too_old_comes_back_as_it_was_filled(made: Panel) -> None:
    for path in FORMS:
        answer = await made.client.post(path, data=TYPED | {"_csrf": "00" * 32})
        assert answer.status_code == 419, path
        assert 'name="mesaj" value="Yarım kalan &lt;söz&gt;"' in answer.text, path
        assert f'action="{path}"' in answer.text, path


async def test_no_other_site_fills_a_form(made: Panel) -> None:
    for path in FORMS:
        for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await made.post(path, TYPED, headers=headers)
            assert answer.status_code == 403, path


async def test_whoever_comes_without_cookies_is_led_to_the_sign_in_and_told(made: Panel) -> None:
    secret = made.client.cookies["guvercin"]
    try:
        made.client.cookies.clear()
        asked = await made.get("/panel/toplu")
        assert asked.headers["location"] == "/giris?sonra=/panel/toplu"
        entered = await made.client.post("/giris", data={"parola": PASSWORD, "sonra": "/panel/toplu"})
        made.client.cookies.clear()
        told = await made.get(entered.headers["location"])
        assert "çerez" in told.text
        assert 'value="/panel/toplu"' in told.text
    finally:
        made.client.cookies.clear()
        made.client.cookies.set("guvercin", secret)


@pytest.mark.parametrize(
    ("path", "size", "name", "status"),
    [
        ("/panel/toplu/yeni", LARGEST_FILE + 1, "liste.csv", 422),
        ("/panel/istemeyenler/dosyadan", LARGEST_FILE + 1, "liste.csv", 422),
        ("/panel/gonder", MAX_FILE_SIZE + 1, "fatura.pdf", 422),
        ("/panel/istemeyenler/onaylar", MAX_FILE_SIZE + 1, "fatura.pdf", 422),
        ("/panel/toplu/yeni", 2 * LARGEST_FILE, "liste.csv", 413),
        ("/panel/gonder", 2 * MAX_FILE_SIZE, "fatura.pdf", 413),
        ("/panel/ayarlar/isletme", 2_000_000, "liste.csv", 413),
    ],
)
async def test_a_file_that_is_one_byte_too_large_is_told_in_words(
    made: Panel, path: str, size: int, name: str, status: int
) -> None:
    form = {"telefon": "+905321234567", "mesaj": "Merhaba", "hesap": "1", "tur": "10"}
    form |= {"kaynak": "HS_WEB", "zaman": "2026-02-20T10:15", "kim": "BIREYSEL"}
    answer = await made.post(path, form, files={"dosya": (name, b"%PDF-1.4\n".ljust(size, b"1"))})
    assert answer.status_code == status, answer.text[:500]
    assert "<html" in answer.text
    assert "MB" in re.sub(r"<[^>]+>", " ", answer.text)
    if status == 422:
        assert re.search(r'id="dosya-hata"(?! hidden)', answer.text)
    assert await made.server.rows() == 0


async def test_a_second_tab_and_a_second_press_do_nothing_twice(made: Panel) -> None:
    """Two tabs hold the same list and the same key; a name is added in both."""
    draft = (await made.post("/panel/toplu/yeni", {"numaralar": "0532 111 00 01\n0532 111 00 02"})).headers["location"]
    form = {"s0": "telefon", "mesaj": "Merhaba", "hesap": "1", "tur": "10", "izin": "1", "adim": "baslat"}
    first, second = [await made.post(draft, form) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    other = await made.post(draft, form | {"mesaj": "Başka bir metin"})
    assert other.status_code == 422
    assert "zaten başlatıldı" in other.text or "başlat" in other.text
    assert len(await made.server.store.batches(None, account_id=None, limit=9, below=None)) == 1


def test_whoever_listens_hears_of_a_codes_time_seldom() -> None:
    now = datetime(2026, 2, 23, 12, tzinfo=UTC)
    heard = []
    for second in range(160):
        link = Link(state=LinkState.SHOWING, code="K7PX-3MQD", valid_until=now + timedelta(seconds=160 - second))
        heard.append(str(accounts._spoken("showing", link, now)))
    assert len(set(heard)) == 6
    changes = [at for at in range(1, 160) if heard[at] != heard[at - 1]]
    assert min(later - sooner for sooner, later in pairwise(changes)) == 30
    shown = Link(state=LinkState.SHOWING, qr="2@abc", valid_until=now + timedelta(seconds=20))
    renewed = Link(state=LinkState.SHOWING, qr="2@def", valid_until=now + timedelta(seconds=20))
    assert accounts._spoken("showing", shown, now) == accounts._spoken("showing", renewed, now)
