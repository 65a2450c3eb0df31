"""The way in: the one-time link, the sign-in and what may go wrong there, with a script and without one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.server import Server
from tests.panel.browser import NARROWEST, Window, window
from tests.panel.conftest import PASSWORD, Shop, setup_link

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "veri") as server:
        server.start()
        yield server


def sign_in(shown: Window, password: str) -> None:
    shown.page.fill("#parola", password)
    shown.page.click("main button[type=submit]")


def test_the_link_works_once_and_only_with_its_code(server: Server, browser: Browser) -> None:
    with window(browser, server.url) as shown:
        shown.expected = ["403", "404", "422"]
        shown.go("/panel")
        expect(shown.page.locator("h1")).to_have_text("Kurulum bağlantısı gerekli")
        expect(shown.page.locator("main")).to_contain_text("guvercin kurulum-linki")
        shown.accessible()

        shown.go("/kurulum?k=AAAA-BBBB")
        expect(shown.page.get_by_role("alert")).to_contain_text("Bu kod geçerli değil")
        link = setup_link(server)
        shown.go(link)
        shown.accessible()
        shown.page.fill("#isletme", "Yılmaz Market")
        for bad, told in (("kısa", "en az 10 karakter"), ("1234567890", "ilk deneyeceklerinden")):
            sign_in(shown, bad)
            expect(shown.page.locator("#parola-hata")).to_contain_text(told)
            expect(shown.page.locator("#parola")).to_be_focused()
            assert shown.page.input_value("#isletme") == "Yılmaz Market"
        shown.accessible()
        sign_in(shown, PASSWORD)
        shown.page.wait_for_url(re.compile("/panel$"))
        expect(shown.page.locator(".side .brand")).to_contain_text("Yılmaz Market")
        shown.go(link)
        expect(shown.page.locator("h1")).to_have_text("Böyle bir sayfa yok.")
        shown.accessible()
    assert server.cli("kurulum-linki").returncode == 1


def test_signing_in_leads_back_to_where_one_wanted_to_go(stranger: Window) -> None:
    stranger.expected = ["401"]
    stranger.go("/panel?x=1")
    expect(stranger.page.locator("h1")).to_have_text("Giriş yap")
    stranger.accessible()
    sign_in(stranger, "yanlış bir parola")
    expect(stranger.page.get_by_role("alert")).to_have_text("Parola yanlış.")
    stranger.accessible()
    sign_in(stranger, PASSWORD)
    stranger.page.wait_for_url(re.compile(r"/panel\?x=1$"))
    stranger.page.click(".side button:has-text('Çıkış yap')")
    expect(stranger.page.locator("h1")).to_have_text("Giriş yap")
    stranger.go("/panel")
    expect(stranger.page.locator("h1")).to_have_text("Giriş yap")


def test_nobody_is_led_out_of_the_panel(stranger: Window) -> None:
    stranger.go("/giris?sonra=https://example.org/")
    sign_in(stranger, PASSWORD)
    stranger.page.wait_for_url(re.compile(r"/panel$"))


def test_without_a_script_one_can_set_up_and_sign_in(server: Server, browser: Browser) -> None:
    with window(browser, server.url, script=False) as shown:
        shown.go(setup_link(server))
        sign_in(shown, PASSWORD)
        expect(shown.page.locator("h1")).to_have_text("Özet")
        shown.page.context.clear_cookies()
        shown.go("/panel")
        sign_in(shown, PASSWORD)
        expect(shown.page.locator("h1")).to_have_text("Özet")


def test_language_and_theme_are_chosen_and_kept(stranger: Window) -> None:
    stranger.go("/giris")
    stranger.page.click("button:has-text('English')")
    expect(stranger.page.locator("h1")).to_have_text("Sign in")
    expect(stranger.page.locator("html")).to_have_attribute("lang", "en")
    stranger.page.click("[aria-label='Dark theme']")
    expect(stranger.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    stranger.accessible()
    sign_in(stranger, PASSWORD)
    expect(stranger.page.locator("h1")).to_have_text("Overview")
    expect(stranger.page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_what_another_site_asks_for_is_not_done(owner: Window) -> None:
    answer = owner.page.request.post(f"{owner.address}/panel/cikis", headers={"Origin": "https://example.org"})
    assert answer.status == 403
    assert "izniniz yok" in answer.text()
    owner.go("/panel")
    expect(owner.page.locator("h1")).to_have_text("Özet")


def test_the_entrance_fits_the_narrowest_phone(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.server.url, size=NARROWEST) as shown:
        shown.go("/giris")
        shown.fits()
        shown.accessible()
