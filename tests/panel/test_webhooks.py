"""Webhook without a browser: a secret once, an address switched, tried, asked again, and nothing for who only looks."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks import Webhook
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.call import Called, CallTrouble
from guvercin.core.hook import CloseReason, Hook, HookEvent
from guvercin.core.outcome import Inbound

pytestmark = pytest.mark.anyio

PAGE = "/panel/webhook"
URL = "https://magaza.example/webhook?k=gizli"
AYSE = "+905321234567"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


def form(**more: Any) -> dict[str, Any]:
    return {"url": URL, "olay": [event.value for event in HookEvent], "hesap": "", **more}


async def add(made: Panel, **more: Any) -> str:
    """Add an address; answers its secret."""
    answer = await made.post(PAGE, form(**more))
    assert answer.status_code == 200, answer.text
    found = SECRET.search(answer.text)
    assert found is not None
    return found[0]


async def hook(made: Panel) -> Hook:
    (found,) = await made.server.store.hooks()
    return found


def _always(called: Called, _: bytes) -> Called:
    return called


async def page_with(made: Panel, words: str, path: str = f"{PAGE}/1") -> str:
    """Answer a page once it says something, that of the first address: couriers take their own time."""
    for _ in range(200):
        page = (await made.get(path)).text
        if words in page:
            return page
        await made.server.clock.sleep_until(made.server.clock.monotonic() + 0.05)
    raise AssertionError(words)


async def until_taken(made: Panel, count: int) -> None:
    for _ in range(200):
        if len(made.server.receiver.taken) >= count:
            break
        await made.server.clock.sleep_until(made.server.clock.monotonic() + 0.05)
    assert len(made.server.receiver.taken) == count


async def test_the_secret_is_shown_once(made: Panel) -> None:
    assert "Henüz adres yok." in (await made.get(PAGE)).text
    answer = await made.post(PAGE, form(olay=["mesaj.alindi"]))
    found = SECRET.search(answer.text)
    assert found is not None
    assert answer.headers["cache-control"] == "no-store"
    assert (await hook(made)).events == {HookEvent.RECEIVED}
    for path in (PAGE, f"{PAGE}/1"):
        page = (await made.get(path)).text
        assert "magaza.example" in page
        assert not SECRET.search(page)
    # Nothing sends the form again: the page's own address asks for the list.
    assert (await made.get(PAGE)).status_code == 200


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"url": "http://magaza.example/x"}, "url", "https"),
        ({"url": "https://127.0.0.1/x"}, "url", ""),
        ({"url": "https://magaza.example:22/"}, "url", "443"),
        ({"url": "magaza"}, "url", ""),
        ({"url": ""}, "url", ""),
        ({"olay": []}, "olay", ""),
        ({"olay": ["yok"]}, "olay", ""),
    ],
)
async def test_a_bad_field_is_told_at_its_place(made: Panel, given: dict[str, Any], field: str, told: str) -> None:
    answer = await made.post(PAGE, form(**given))
    assert answer.status_code == 422
    at = re.search(f'id="{field}-hata">(.*?)</div>', answer.text, re.DOTALL)
    assert at is not None
    assert told in at[1]
    assert (given.get("url") or URL) in answer.text or not given.get("url", "x")
    assert not await made.server.store.hooks()


async def test_an_address_is_changed_switched_and_removed(made: Panel) -> None:
    await add(made, hesap="1")
    assert (await hook(made)).account_ids == frozenset({1})
    bad = await made.post(f"{PAGE}/1", form(url="ftp://x.example", olay=["mesaj.okundu"]))
    assert bad.status_code == 422
    assert 'value="ftp://x.example"' in bad.text
    saved = await made.post(f"{PAGE}/1", form(url="https://yeni.example/w", olay=["mesaj.okundu"]))
    assert "Kaydedildi" in (await made.get(saved.headers["location"])).text
    assert ((await hook(made)).url, (await hook(made)).events) == (
        "https://yeni.example/w",
        frozenset({HookEvent.READ}),
    )
    await made.post(f"{PAGE}/1/durum", {"durum": "kapali"})
    assert (await hook(made)).closed_for is CloseReason.OWNER
    page = (await made.get(f"{PAGE}/1")).text
    assert "Siz kapattınız" in page
    assert "kaldığı yerden" in page
    await made.post(f"{PAGE}/1/durum", {"durum": "aktif"})
    assert (await hook(made)).closed_at is None
    assert (await made.post(f"{PAGE}/1/sil", {})).headers["location"] == PAGE
    assert not await made.server.store.hooks()
    assert (await made.get(f"{PAGE}/1")).status_code == 404


async def test_a_new_secret_signs_beside_the_old_one(made: Panel) -> None:
    old = await add(made)
    answer = await made.post(f"{PAGE}/1/sir", {})
    new = SECRET.search(answer.text)
    assert new is not None
    assert new[0] != old
    assert "24 saat" in answer.text
    await made.post(f"{PAGE}/1/dene", {})
    _, body, headers = made.server.receiver.taken[0]
    signed = {name: headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    written = [Webhook(key).sign(signed["webhook-id"], made.server.clock.now(), body.decode()) for key in (new[0], old)]
    assert {each.split(",")[0] for each in signed["webhook-signature"].split()} == {"v1"}
    assert len(signed["webhook-signature"].split()) == len(written)


async def test_a_trial_shows_what_went_and_what_came_back(made: Panel) -> None:
    await add(made)
    well = (await made.post(f"{PAGE}/1/dene", {})).text
    assert "Adres bunu aldı." in well
    assert "webhook.deneme" in well
    receiver = made.server.receiver
    troubles = {
        CallTrouble.TOO_SLOW: "15 saniye",
        CallTrouble.CERTIFICATE: "ertifika",
        CallTrouble.FORBIDDEN: "herkese açık olmayan",
        CallTrouble.REFUSED: "2xx",
    }
    for trouble, told in troubles.items():
        called = Called(trouble=trouble, shown="<b>yok</b>")
        receiver.answers = partial(_always, called)
        page = (await made.post(f"{PAGE}/1/dene", {})).text
        shown = re.search(r'id="deneme".*?</section>', page, re.DOTALL)
        assert shown is not None
        assert told in shown[0], shown[0]
        assert "&lt;b&gt;yok&lt;/b&gt;" in shown[0]


async def test_deliveries_are_listed_and_asked_for_again(made: Panel) -> None:
    await add(made, olay=["mesaj.alindi"])
    receiver = made.server.receiver
    receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=500)
    now = made.server.clock.now()
    wrote = Inbound(remote_id="I", sender="+905321234567", text="x", at=now)
    await made.server.store.receive_inbound(1, wrote, now=now)
    page = await page_with(made, "Adresteki program hata verdi (500)")
    assert "Size biri yazdı" in page
    assert "+905321234567" not in page
    event_id = re.findall(r"/bildirimler/(\d+)/yeniden", page)[0]
    detail = (await made.get(f"{PAGE}/1/bildirimler/{event_id}")).text
    assert 'href="/panel/gelenler/1"' in detail
    assert "Adresteki program hata verdi (500)" in detail
    assert "&#34;mesaj.alindi&#34;" in detail
    assert f"msg_{event_id}" in detail
    assert (await made.get(f"{PAGE}/1/bildirimler/999")).status_code == 404
    receiver.answers = lambda _: Called(trouble=None, status=200)
    done = await made.post(f"{PAGE}/1/bildirimler/{event_id}/yeniden", {})
    assert "Yeniden iletiliyor." in (await made.get(done.headers["location"])).text
    await until_taken(made, 1)
    assert (await made.post(f"{PAGE}/1/bildirimler/999/yeniden", {})).status_code == 404
    assert (await made.post(f"{PAGE}/1/yeniden", {"an": "2020-01-01T00:00"})).status_code == 303
    await until_taken(made, 2)
    odd = await made.post(f"{PAGE}/1/yeniden", {"an": "dün"})
    assert odd.status_code == 422
    assert 'id="an-hata"' in odd.text
    assert (await made.get(f"{PAGE}/1?sonra=1")).status_code == 200
    assert (await made.get(f"{PAGE}/1?sonra=x")).status_code == 200


async def test_what_came_back_is_shown_in_memory_and_counted_on_the_disk(made: Panel) -> None:
    await add(made, olay=["mesaj.gonderildi"])
    receiver = made.server.receiver
    receiver.answers = lambda _: Called(trouble=None, status=204, shown="<i>teşekkürler</i>")
    assert "24 saatte" not in (await made.get(PAGE)).text
    sent = {"telefon": "+905000000001", "mesaj": "Gizli metin", "tur": "10", "hesap": "1"}
    assert (await made.post("/panel/gonder", sent)).status_code == 303
    page = await page_with(made, "204")
    event_id = re.findall(r"/bildirimler/(\d+)/yeniden", page)[0]
    detail = (await made.get(f"{PAGE}/1/bildirimler/{event_id}")).text
    assert "&lt;i&gt;teşekkürler&lt;/i&gt;" in detail
    assert "Gizli metin" not in detail, "no text of a message goes to an address"
    await page_with(made, "24 saatte başarı: %100 (1 deneme)", PAGE)
    now = made.server.clock.now()
    assert await made.server.store.hook_tries(now=now + timedelta(hours=25)) == {}
    assert (await made.post(f"{PAGE}/1/sil", {})).status_code == 303
    assert await made.server.store.hook_tries(now=now) == {}


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "adres yanlış olabilir"), (401, "giriş istiyor"), (429, "çok sık"), (503, "hata verdi (503)"), (418, "2xx")],
)
async def test_a_status_is_told_in_words(made: Panel, status: int, told: str) -> None:
    await add(made)
    made.server.receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=status)
    page = (await made.post(f"{PAGE}/1/dene", {})).text
    shown = re.search(r'id="deneme".*?</section>', page, re.DOTALL)
    assert shown is not None
    assert told in shown[0].lower()
    assert f"HTTP {status}" in shown[0]
    assert f"POST {URL}" in shown[0]
    assert "webhook-id: deneme_" in shown[0]


async def test_an_address_that_was_switched_off_by_itself_stands_in_the_overview(made: Panel) -> None:
    await add(made, olay=["mesaj.gonderildi"])
    made.server.receiver.answers = lambda _: Called(trouble=CallTrouble.REFUSED, status=410)
    await made.post("/panel/gonder", {"telefon": AYSE, "mesaj": "Merhaba", "tur": "10", "hesap": "1"})
    told = await page_with(made, "Webhook 1 kapatıldı", "/panel")
    assert "Adres artık olmadığını söyledi (410)" in told
    assert 'href="/panel/webhook/1"' in told
    made.server.receiver.answers = lambda _: Called(trouble=None, status=200)
    await made.post(f"{PAGE}/1/durum", {"durum": "aktif"})
    assert "Webhook 1 kapatıldı" not in (await made.get("/panel")).text
    await made.post(f"{PAGE}/1/durum", {"durum": "kapali"})
    assert "Webhook 1 kapatıldı" not in (await made.get("/panel")).text, "who switched it off knows"


async def test_whoever_only_looks_learns_no_secret_path_and_changes_nothing(made: Panel) -> None:
    await add(made, olay=["mesaj.gonderildi"])
    await made.post("/panel/gonder", {"telefon": AYSE, "mesaj": "Merhaba", "tur": "10", "hesap": "1"})
    page = await page_with(made, "/bildirimler/")
    event_id = re.findall(r"/bildirimler/(\d+)/yeniden", page)[0]
    assert AYSE in (await made.get(f"{PAGE}/1/bildirimler/{event_id}")).text
    await as_viewer(made)
    for path in (PAGE, f"{PAGE}/1", f"{PAGE}/1/bildirimler/{event_id}"):
        page = (await made.get(path)).text
        assert AYSE not in page
        assert "https://magaza.example/…" in page
        assert "gizli" not in page
        assert 'name="url"' not in page
        assert "formaction" not in page
    for path in ("", "/1", "/1/durum", "/1/dene", "/1/sir", "/1/sil", "/1/yeniden", "/1/bildirimler/1/yeniden"):
        assert (await made.post(f"{PAGE}{path}", form())).status_code == 403, path
    assert len(await made.server.store.hooks()) == 1
