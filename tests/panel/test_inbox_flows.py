"""Gelenler in a browser: a message appears by itself, is answered, and the page keeps its looks."""

import re
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.server import Client
from tests.panel.browser import NARROW, NARROWEST, WIDE, Window, window
from tests.panel.conftest import Shop

from guvercin.transports.drawing import picture

pytestmark = pytest.mark.e2e

ANSWERS = "+905000000005"
"""The test number that writes back: DUR."""


def came(shop: Shop, client: Client, count: int) -> None:
    """Wait for all that comes of each message: DUR, and DUR again to the words that tell them that they were heard."""
    shop.server.until(lambda: len(client.get("/gelen").json["data"]) == count, within=30, what=f"{count} answers")


def test_a_message_appears_by_itself_and_is_answered(owner: Window, shop: Shop) -> None:
    owner.go("/panel/gelenler")
    expect(owner.page.locator("#canli .empty-state")).to_contain_text("Henüz kimse yazmadı.")
    owner.accessible()
    client = shop.server.client(shop.token)
    client.post("/gonder", {"telefon": ANSWERS, "mesaj": "Merhaba"}, Prefer="respond-async")
    row = owner.page.locator("#canli tbody tr").first
    expect(row).to_contain_text("DUR", timeout=20_000)
    expect(row.locator(".pill")).to_have_text("Yeni")
    owner.accessible()
    # They said DUR: an answer is refused in words, and what was typed stays.
    row.locator("a").first.click()
    expect(owner.page.locator("#konusma")).to_be_visible()
    expect(owner.page.locator(".talk-lines")).to_contain_text("Merhaba")
    owner.expected = ["422"]
    owner.page.fill("#mesaj", "Bir şey soracaktım")
    owner.page.click("text=Yanıtı gönder")
    expect(owner.page.locator("[role=alert]").filter(has_text="mesaj istemediğini")).to_be_visible()
    expect(owner.page.locator("#mesaj")).to_have_value("Bir şey soracaktım")
    owner.accessible()
    came(shop, client, 2)
    # The owner knows better: they are taken off the list, and the answer goes, live.
    client.ask("DELETE", f"/api/v1/whatsapp/ret-listesi?telefon=%2B{ANSWERS[1:]}")
    owner.page.click("text=Yanıtı gönder")
    ours = owner.page.locator(".talk-lines li", has_text="Bir şey soracaktım")
    expect(ours).to_contain_text(re.compile("İletildi|Okundu"), timeout=20_000)


def test_it_is_marked_without_a_script(shop: Shop, browser: Browser) -> None:
    client = shop.server.client(shop.token)
    came(shop, client, 4)
    with window(browser, shop.server.url, cookies=shop.cookies, script=False) as shown:
        shown.go("/panel/gelenler")
        expect(shown.page.locator("tbody tr.is-new").first).to_contain_text("DUR")
        shown.page.click("text=Hepsini okundu yap")
        expect(shown.page.locator("tbody tr.is-new")).to_have_count(0)
        shown.page.click("tbody tr a >> nth=0")
        shown.page.fill("#mesaj", "Betiksiz")
        client.ask("DELETE", f"/api/v1/whatsapp/ret-listesi?telefon=%2B{ANSWERS[1:]}")
        shown.page.click("text=Yanıtı gönder")
        expect(shown.page.locator(".talk-lines")).to_contain_text("Betiksiz")


@pytest.mark.parametrize(
    ("language", "theme", "size"), list(product(("tr", "en"), ("light", "dark"), (WIDE, NARROW)))[::3]
)
def test_it_keeps_its_looks(shop: Shop, browser: Browser, language: str, theme: str, size: tuple[int, int]) -> None:
    with window(browser, shop.server.url, size=size, theme=theme, language=language, cookies=shop.cookies) as shown:
        for path in ("/panel/gelenler", "/panel/gelenler/1", "/panel/gelenler?yeni=1", "/panel/gelenler?ara=0532"):
            shown.go(path)
            shown.fits()
            shown.accessible()


def test_it_fits_on_the_narrowest_phone(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.server.url, size=NARROWEST, cookies=shop.cookies) as shown:
        for path in ("/panel/gelenler", "/panel/gelenler/1"):
            shown.go(path)
            shown.fits()


def test_a_file_is_opened_from_its_conversation(owner: Window, shop: Shop) -> None:
    client, sends_a_picture = shop.server.client(shop.token), "+905000000013"
    client.post("/gonder", {"telefon": sends_a_picture, "mesaj": "Merhaba"}, Prefer="respond-async")
    theirs: list[dict[str, Any]] = []

    def has_come() -> bool:  # theirs: others may still have something to say
        theirs[:] = client.get(f"/gelen?gonderen={quote(sends_a_picture)}").json["data"]
        return bool(theirs)

    shop.server.until(has_come, within=30, what="the picture")
    newest = theirs[0]
    owner.go(f"/panel/gelenler/{newest['id']}")
    link = owner.page.get_by_role("link", name="Dosyayı aç / indir")
    expect(link).to_be_visible()
    owner.accessible()
    with owner.page.expect_download() as saved:
        link.click()
    assert saved.value.suggested_filename == f"gelen-{newest['id']}.png"
    assert saved.value.path().read_bytes() == picture()
