"""A phone is linked in the panel: what stands on the screen is what the engine shows this moment, and nothing older."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.server import Client, Server
from tests.panel.browser import NARROW, Window, window
from tests.panel.conftest import set_up
from tests.transports.web.bedside import Bedside, bedside

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("whatsapp")]


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bedside]:
    with bedside(tmp_path_factory.mktemp("bed")) as side:
        yield side


@pytest.fixture
def server(side: Bedside, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri", **side.bed.environment) as server:
        server.start()
        yield server


def read_code(shown: Window) -> str:
    """Read the QR code off a picture of the page, as a phone's camera does; empty if there is none."""
    import io

    import zxingcpp
    from PIL import Image

    picture = Image.open(io.BytesIO(shown.page.screenshot()))
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else ""


def payload(client: Client) -> str:
    return str(client.get("/hesaplar/2/bagla").json["data"]["qr"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_on_the_screen_is_the_engines_own_and_links(
    server: Server, side: Bedside, browser: Browser, theme: str
) -> None:
    cookies = set_up(server, browser)
    client, own = server.client(server.token()), side.person()
    with window(browser, server.url, cookies=cookies, theme=theme) as shown:
        shown.expected = ["422"]
        shown.go("/panel/hesaplar/yeni")
        shown.page.fill("#isim", "Dükkân hattı")
        shown.page.click("main form button[type=submit]")
        expect(shown.page.locator("#anladim-hata")).to_be_visible()
        shown.page.check("[name=anladim]")
        shown.page.click("main form button[type=submit]")
        shown.page.click("button:has-text('QR kodu göster')")
        expect(shown.page.locator("svg.qr")).to_be_visible(timeout=20_000)
        shown.accessible()
        shown.fits()
        assert read_code(shown) == payload(client)
        side.call_now(own.scan(read_code(shown)))
        expect(shown.page.locator(".link-done")).to_contain_text("Bağlandı", timeout=30_000)
        assert read_code(shown) == "", "a code that was used is gone"
        shown.accessible()


def test_a_phone_is_offered_the_code_to_type_first(server: Server, browser: Browser) -> None:
    cookies = set_up(server, browser)
    with window(browser, server.url, cookies=cookies, size=NARROW) as shown:
        shown.expected = ["422"]
        shown.go("/panel/hesaplar/yeni")
        shown.page.fill("#isim", "Dükkân hattı")
        shown.page.check("[name=anladim]")
        shown.page.click("main form button[type=submit]")
        by_code = shown.page.locator(".link-code").bounding_box()
        by_camera = shown.page.locator(".link-qr").bounding_box()
        assert by_code is not None
        assert by_camera is not None
        assert by_code["y"] < by_camera["y"]
        shown.page.fill("#telefon", "0532")
        shown.page.click("button:has-text('Kod al')")
        expect(shown.page.locator("#telefon-hata")).to_be_visible()
        shown.fits()
        shown.page.fill("#telefon", "0532 123 45 67")
        shown.page.click("button:has-text('Kod al')")
        expect(shown.page.locator(".pair-code")).to_be_visible(timeout=20_000)
        shown.fits()
        shown.accessible()
