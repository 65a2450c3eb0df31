"""In a browser: an address hears of a message and each delivery opens; and a person's data go, without a script too."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.server import Server
from tests.panel.browser import NARROW, WIDE, window
from tests.panel.conftest import Shop, set_up

pytestmark = pytest.mark.e2e


class Receiver(BaseHTTPRequestHandler):
    """Takes everything, save what tells that a message was read."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 500 if json.loads(body)["type"] == "mesaj.okundu" else 204
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's own name
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/kasa"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_hears_and_each_delivery_opens(tmp_path: Path, browser: Browser, receiver: str) -> None:
    with Server(tmp_path / "veri", GUVERCIN_WEBHOOK_ALLOW="127.0.0.1") as server:
        server.start()
        cookies = set_up(server, browser)
        with window(browser, server.url, cookies=cookies) as shown:
            page = shown.page
            shown.go("/panel/webhook")
            page.fill("#url", receiver)
            page.click("main form.card button[type=submit]")
            page.click("button:has-text('Deneme bildirimi gönder')")
            expect(page.locator("section.trial")).to_contain_text("HTTP 204")
            expect(page.locator("section.trial")).to_contain_text("webhook-signature: v1,")
            shown.accessible()
            shown.go("/panel/webhook/1")
            server.client(server.first_token()).post("/gonder", {"telefon": "+905000000001", "mesaj": "Gizli metin"})
            row = page.locator("#canli tr", has_text="Mesaj okundu")
            expect(row).to_contain_text("Adresteki program hata verdi (500)")
            expect(page.locator("#canli tr", has_text="Mesaj iletildi")).to_contain_text("204")
            shown.accessible()
            row.locator("a").click()
            expect(page.locator("h1")).to_have_text("Mesaj okundu")
            expect(page.locator("main")).to_contain_text('"type":"mesaj.okundu"')
            assert "Gizli metin" not in page.locator("main").inner_text()
            detail = page.url.removeprefix(server.url)
            page.click("button:has-text('Yeniden gönder')")
            expect(page.locator(".notice-ok")).to_have_text("Yeniden iletiliyor.")
        for size, theme in ((WIDE, "dark"), (NARROW, "light")):
            with window(browser, server.url, cookies=cookies, size=size, theme=theme) as shown:
                for path in ("/panel/webhook", "/panel/webhook/1", detail):
                    shown.go(path)
                    shown.fits()
                    shown.accessible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
def test_a_persons_data_are_taken_along_and_destroyed(shop: Shop, browser: Browser, *, script: bool) -> None:
    number = "+905321234567" if script else "+905339876543"
    shop.server.client(shop.token).post("/gonder", {"telefon": number, "mesaj": "Merhaba", "isim": "Zeynep"})
    with window(browser, shop.server.url, cookies=shop.cookies, size=NARROW, script=script) as shown:
        page = shown.page
        shown.expected = ["422"]
        shown.go("/panel/ayarlar")
        page.click("a[href$=kisinin-verileri]")
        page.fill("#telefon", number)
        page.click("main form.card button[type=submit]")
        with page.expect_download() as begun:
            page.click("button:has-text('Hepsini indir')")
        assert begun.value.suggested_filename == f"kisi-{number[1:]}.json"
        told = json.loads(Path(begun.value.path()).read_text("utf-8"))["data"]
        assert [each["isim"] for each in told["mesajlar"]] == ["Zeynep"]
        page.click("summary:has-text('Bu kişinin verilerini sil')")
        expect(page.locator(".danger")).to_contain_text("1 mesajın metni, adı ve numarası")
        page.fill("#onay", "0532 000 00 00")
        page.click("button:has-text('Verileri sil')")
        expect(page.locator("#onay-hata")).to_contain_text("Bu başka bir numara.")
        shown.fits()
        if script:
            shown.accessible()
        page.fill("#onay", number)
        page.click("button:has-text('Verileri sil')")
        expect(page.locator(".notice-ok")).to_contain_text("Unutuldu. Mesaj: 1")
        shown.go("/panel/ayarlar/kim-ne-yapti")
        expect(page.locator("main")).to_contain_text("Liste eksiksiz")
        expect(page.locator("tbody")).to_contain_text("Bir kişinin verilerini sildi")
        shown.fits()
