"""A phone is linked in the panel: what stands on the screen is what the engine shows this moment, and nothing older."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect
from tests.conftest import IS_LONG
from tests.e2e.server import Client, Server, free_port
from tests.panel.browser import LIMIT, NARROW, WIDE, Window, window
from tests.panel.conftest import set_up
from tests.panel.stage import Stage, stage
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
    import zxingcpp
    from PIL import Image

    picture = Image.open(io.BytesIO(shown.page.screenshot()))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
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


# -- a phone that follows a script: what the real one takes minutes for


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path / "veri", free_port()) as made:
        yield made


LONG = timedelta(seconds=60)


def text(number: int) -> str:
    """Answer what a code of WhatsApp's looks like: as long, and different from the one before in a few letters."""
    return f"2@{number:04}" + "aZ09+/" * 30 + ",1,2,3"


def until_read(shown: Window, wanted: str) -> None:
    """Wait until a camera before the screen reads this; empty: until it reads nothing."""
    for _ in range(150):
        with suppress(Error):  # a page without a script goes and comes again, and can't be photographed in between
            if read_code(shown) == wanted:
                return
        shown.page.wait_for_timeout(100)
    assert read_code(shown) == wanted


LOOKS = ((WIDE, "light"), (NARROW, "dark"), (WIDE, "dark"), (NARROW, "light"))


@pytest.mark.parametrize(("size", "theme"), LOOKS if IS_LONG else LOOKS[:2])
def test_no_code_outlives_its_time_on_the_screen(
    scripted: Stage, browser: Browser, size: tuple[int, int], theme: str
) -> None:
    phone = scripted.phone
    with window(browser, scripted.url, cookies=scripted.cookies, size=size, theme=theme) as shown:
        shown.go(f"/panel/hesaplar/{scripted.account_id}/bagla")
        assert read_code(shown) == ""
        shown.page.click("button:has-text('QR kodu göster')")
        expect(shown.page.locator("#canli .skeleton")).to_contain_text("Hazırlanıyor", timeout=LIMIT)
        shown.page.evaluate("window.isTheSamePage = true")
        for number in (1, 2):
            scripted.call(phone.show(text(number), LONG))
            until_read(shown, text(number))
            shown.fits()
        scripted.call(phone.show(text(3), timedelta(seconds=2)))
        until_read(shown, text(3))
        until_read(shown, "")  # nobody said that its time is over
        expect(shown.page.locator("#canli .skeleton")).to_contain_text("Hazırlanıyor", timeout=LIMIT)
        scripted.call(phone.show(text(4), LONG))
        until_read(shown, text(4))
        scripted.call(phone.end(is_taken=False))
        until_read(shown, "")
        expect(shown.page.locator("#canli .over h2")).to_have_text(
            "Kodun süresi doldu. Hiçbir şey bozulmadı.", timeout=LIMIT
        )
        expect(shown.page.locator("#canli button")).to_have_count(1)
        shown.accessible()
        shown.fits()
        assert shown.page.evaluate("window.isTheSamePage"), "all of this came without a reload"
        shown.page.click("#canli button:has-text('Yeni kod göster')")
        expect(shown.page.locator("#canli .skeleton")).to_be_visible(timeout=LIMIT)
        shown.page.evaluate("window.isTheSamePage = true")
        scripted.call(phone.show(text(5), LONG))
        until_read(shown, text(5))
        scripted.call(phone.end(is_taken=True))
        expect(shown.page.locator(".link-done")).to_contain_text("Bağlandı", timeout=LIMIT)
        until_read(shown, "")
        assert shown.page.evaluate("window.isTheSamePage"), "success needs no reload"


def test_a_code_leaves_the_screen_when_its_server_is_away(scripted: Stage, browser: Browser) -> None:
    with window(browser, scripted.url, cookies=scripted.cookies) as shown:
        shown.expected = ["ERR_", "Failed to load", "network", "htmx:sse:error", "htmx:error"]
        shown.go(f"/panel/hesaplar/{scripted.account_id}/bagla")
        shown.page.click("button:has-text('QR kodu göster')")
        expect(shown.page.locator("#canli .skeleton")).to_be_visible(timeout=LIMIT)
        scripted.call(scripted.phone.show(text(1), LONG))
        until_read(shown, text(1))
        scripted.go_away()
        expect(shown.page.locator("#kopuk")).to_be_visible(timeout=LIMIT)
        assert read_code(shown) == "", "nobody can tell whether it still is good"


def test_no_code_outlives_its_time_without_a_script_either(scripted: Stage, browser: Browser) -> None:
    with window(browser, scripted.url, cookies=scripted.cookies, script=False) as shown:
        shown.go(f"/panel/hesaplar/{scripted.account_id}/bagla")
        shown.page.click("button:has-text('QR kodu göster')")
        expect(shown.page.locator("#canli .skeleton")).to_be_visible(timeout=LIMIT)
        scripted.call(scripted.phone.show(text(1), timedelta(seconds=8)))
        until_read(shown, text(1))
        until_read(shown, "")
        scripted.call(scripted.phone.end(is_taken=False))
        expect(shown.page.locator("#canli .over h2")).to_have_text(
            "Kodun süresi doldu. Hiçbir şey bozulmadı.", timeout=LIMIT
        )
