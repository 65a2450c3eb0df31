"""A bulk in the browser: the nasty list on a phone, the same without a script, and a server that is lost on the way."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.panel.browser import NARROW, NARROWEST, WIDE, Window, window
from tests.panel.conftest import Shop
from tests.panel.nasty import BAD, GOOD, REPEATED, nasty_excel

pytestmark = pytest.mark.e2e

TEXT = "Merhaba {isim|değerli müşterimiz}, {borc_tl} TL bakiyeniz var."
ONE = re.compile(r"/panel/toplu/\d+$")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("liste") / "musteriler.xlsx"
    path.write_bytes(nasty_excel())
    return path


@contextmanager
def shown(shop: Shop, browser: Browser, size: tuple[int, int] = WIDE, *, script: bool = True) -> Iterator[Window]:
    with window(browser, shop.server.url, size=size, script=script, cookies=shop.cookies) as made:
        yield made


def sound(made: Window) -> None:
    made.fits()
    made.accessible()


def sums(page: Page) -> int:
    """Answer what the groups of the bar sum to."""
    return sum(int(n) for n in page.locator("#canli .bar-legend strong").all_inner_texts())


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST], ids=["wide", "phone", "small"])
def test_a_nasty_list_goes_through_the_wizard(
    shop: Shop, browser: Browser, workbook: Path, size: tuple[int, int]
) -> None:
    with shown(shop, browser, size) as made:
        page = made.page
        made.expected = ["422"]
        made.go("/panel/toplu/yeni")
        page.set_input_files("#dosya", workbook)  # it goes on by itself
        expect(page.locator("#s1")).to_have_value("telefon")
        expect(page.locator("#s0")).to_have_value("isim")
        sound(made)
        page.click("button[value=kontrol]")
        page.fill("#mesaj", TEXT)
        expect(page.locator("#onizleme .bubble")).to_contain_text("Merhaba Ayşe Yılmaz, 1.250,00 TL")
        page.locator("button[value=kontrol]:visible").last.click()
        expect(page.locator(".tally strong")).to_have_text([str(GOOD), str(BAD), str(REPEATED)])
        sound(made)
        page.click("button[value=baslat]")
        expect(page.locator("#izin-hata")).to_be_visible()
        expect(page.locator("#mesaj")).to_have_value(TEXT)
        page.check("#izin")
        page.click("button[value=baslat]")
        page.wait_for_url(ONE)
        assert sums(page) == GOOD
        expect(page.locator("#canli .notice-ok")).to_contain_text("Bitti")
        assert sums(page) == GOOD
        sound(made)


def test_the_rows_left_out_are_downloaded_and_the_form_goes_on(shop: Shop, browser: Browser, workbook: Path) -> None:
    with shown(shop, browser) as made:
        made.go("/panel/toplu/yeni")
        made.page.set_input_files("#dosya", workbook)
        made.page.click("button[value=kontrol]")
        with made.page.expect_download() as begun:
            made.page.click("button[value=csv]")
        assert begun.value.suggested_filename == "guvercin-atlananlar.csv"
        made.page.click("button[value=sutunlar]")
        expect(made.page.locator("#s1")).to_have_value("telefon")


def test_all_of_it_works_without_a_script(shop: Shop, browser: Browser, workbook: Path) -> None:
    with shown(shop, browser, script=False) as made:
        page = made.page
        made.go("/panel/toplu/yeni")
        page.set_input_files("#dosya", workbook)
        page.click("form[enctype] button[type=submit]")
        page.click("button[value=kontrol]")
        page.fill("#mesaj", TEXT)
        page.check("#izin")
        page.click("button[value=baslat]")
        page.wait_for_url(ONE)
        assert sums(page) == GOOD


def test_a_pressed_button_keeps_the_focus_while_the_bar_moves(shop: Shop, browser: Browser) -> None:
    with shown(shop, browser) as made:
        page = made.page
        made.go("/panel/toplu/yeni")
        numbers = [f"+90532555{n:04}" for n in range(300)]
        page.fill("#numaralar", "\n".join(numbers))
        page.click("form[enctype] button[type=submit]")
        page.click("button[value=kontrol]")
        page.fill("#mesaj", "Merhaba")
        page.check("#izin")
        page.click("button[value=baslat]")
        page.wait_for_url(ONE)
        page.focus("#canli button[formaction$=duraklat]")
        bar = page.locator("[role=progressbar]")
        for _ in range(2):
            expect(bar).not_to_have_attribute("aria-valuenow", bar.get_attribute("aria-valuenow") or "")
            assert page.evaluate("document.activeElement.getAttribute('formaction')").endswith("/duraklat")
        page.keyboard.press("Enter")
        page.click("#canli a:has-text('İptal et')")
        page.click("button:has-text('Kalanı iptal et')")
        expect(page.locator("#canli .notice-info")).to_contain_text("İptal edildi.")
        gone = re.search(r"(\d+) mesaj gitmişti", page.locator("#canli .notice-info").inner_text())
        assert gone is not None
        arrived = [json.loads(line).get("number") for line in shop.server.arrivals.read_text().splitlines()]
        assert sum(number in numbers for number in arrived) == int(gone[1]), "what had gone stays gone, the rest stays"


def test_a_bulk_is_paused_cancelled_and_survives_its_server(shop: Shop, browser: Browser) -> None:
    with shown(shop, browser) as made:
        page = made.page
        made.expected = ["ERR_", "Failed to load", "network", "htmx:sse:error"]
        made.go("/panel/toplu/yeni")
        page.fill("#numaralar", "\n".join(f"0532 444 {n // 100:02} {n % 100:02}" for n in range(60)))
        page.click("form[enctype] button[type=submit]")
        page.click("button[value=kontrol]")
        page.fill("#mesaj", "Merhaba")
        page.check("#izin")
        page.click("button[value=baslat]")
        page.wait_for_url(ONE)
        page.click("#canli button:has-text('Duraklat')")
        expect(page.locator("#canli .notice-wait")).to_contain_text("siz devam ettirene kadar")
        assert sums(page) == 60
        left = page.locator("#canli .notice-wait").inner_text()
        shop.server.kill()
        shop.server.start()
        expect(page.locator("#kopuk")).to_be_hidden()
        page.reload()
        assert page.locator("#canli .notice-wait").inner_text() == left
        page.click("#canli button:has-text('Devam et')")
        page.click("#canli a:has-text('İptal et')")
        expect(page.locator("main")).to_contain_text("mesaj gönderilmez")
        sound(made)
        page.click("button:has-text('Kalanı iptal et')")
        page.wait_for_url(ONE)
        expect(page.locator("#canli .notice-info")).to_contain_text("İptal edildi.")
        assert sums(page) == 60
