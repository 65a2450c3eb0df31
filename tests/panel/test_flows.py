"""What people do in the panel, in a browser: from the first click to the second tick."""

import re
from collections.abc import Mapping
from itertools import groupby, product
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.conftest import IS_LONG
from tests.panel.browser import NARROW, NARROWEST, WIDE, Window, window
from tests.panel.conftest import PASSWORD, Shop

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]

PAGES = (
    "/panel",
    "/panel/hesaplar",
    "/panel/hesaplar/1",
    "/panel/hesaplar/1/hiz",
    "/panel/hesaplar/yeni",
    "/panel/hesaplar/yeni-bulut",
    "/panel/gonder",
    "/panel/mesajlar",
    "/panel/mesajlar?durum=unknown",
    "/panel/mesajlar?ara=merhaba&kaynak=panel&tarih=aralik",
    "/panel/gelenler",
    "/panel/anahtarlar",
    "/panel/webhook",
    "/panel/toplu",
    "/panel/toplu/taslaklar",
    "/panel/toplu/yeni",
    "/panel/raporlar",
    "/panel/istemeyenler",
    "/panel/istemeyenler/bakilacaklar",
    "/panel/istemeyenler/onaylar",
    "/panel/ayarlar",
    "/panel/ayarlar/kisinin-verileri",
    "/panel/ayarlar/kim-ne-yapti",
    "/panel/yok",
)
ROLES = ("yonetici", "izleyici")
Look: TypeAlias = tuple[str, str, str, tuple[int, int], str]
"""A page, the language, the theme and the size in which it is looked at, and the role of who looks."""

LOOKS: list[Look] = list(product(PAGES, ("tr", "en"), ("light", "dark"), (WIDE, NARROW), ROLES))
ENGLISH = re.compile(r"\b(?:Accounts|Messages|Send|Failed|Settings|Overview|Sign|Save|Cancel|Delivered|Search|Back)\b")
REFUSED = {
    "/panel/hesaplar/yeni-bulut": 403,
    "/panel/toplu/taslaklar": 403,
    "/panel/ayarlar/kisinin-verileri": 403,
    "/panel/ayarlar/kim-ne-yapti": 403,
    "/panel/yok": 404,
}
"""What pages answer to who only looks; to others only the last of them is none."""


def some() -> list[Look]:
    """Answer every look in the long run; else a tenth, so that each page, language, theme, size and role is there."""
    return LOOKS if IS_LONG else LOOKS[::13]


def test_the_looks_of_a_short_run_leave_nothing_out() -> None:
    for place, every in enumerate((PAGES, ("tr", "en"), ("light", "dark"), (WIDE, NARROW), ROLES)):
        assert {look[place] for look in some()} == set(every)


@pytest.fixture(scope="module")
def cookies(shop: Shop, browser: Browser) -> Mapping[str, list[Any]]:
    """Who looks, by role."""
    with window(browser, shop.server.url, cookies=shop.cookies) as shown:
        shown.go("/panel/ayarlar")
        shown.page.fill("#ad", "Ayşe")
        shown.page.fill("#parola", PASSWORD)
        shown.page.click("button:has-text('Kişi ekle')")
        shown.page.wait_for_url(re.compile("kaydedildi=kisi"))
    with window(browser, shop.server.url) as shown:
        shown.go("/giris")
        shown.page.fill("#ad", "Ayşe")
        shown.page.fill("#parola", PASSWORD)
        shown.page.click("form[action='/giris'] button[type=submit]")
        shown.page.wait_for_url(re.compile("/panel$"))
        return {"yonetici": shop.cookies, "izleyici": list(shown.page.context.cookies())}


def test_every_page_in_every_look(shop: Shop, browser: Browser, cookies: Mapping[str, list[Any]]) -> None:
    """Each visitor keeps their window while they look at their pages: opening one costs more than a page."""

    def visitor(look: Look) -> tuple[str, tuple[int, int], str]:
        _, language, _, size, role = look
        return language, size, role

    for (language, size, role), looks in groupby(sorted(some(), key=visitor), key=visitor):
        with window(browser, shop.server.url, size=size, language=language, cookies=cookies[role]) as shown:
            shown.expected = ["404", "403"]
            for path, _, theme, _, _ in looks:
                shown.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                answer = shown.page.goto(f"{shop.server.url}{path}", wait_until="load")
                assert answer is not None
                is_refused = path in REFUSED and (role == "izleyici" or path == "/panel/yok")
                assert answer.status == (REFUSED[path] if is_refused else 200), (path, role)
                expect(shown.page.locator("html")).to_have_attribute("lang", language)
                expect(shown.page.locator("html")).to_have_attribute("data-bs-theme", theme)
                expect(shown.page.locator("h1")).to_have_count(1)
                shown.fits()
                shown.accessible()
                text = shown.page.locator("body").inner_text()
                assert language == "en" or not ENGLISH.search(text.replace("English", "")), text
                shown.check()


def test_no_page_scrolls_sideways_on_the_narrowest_phone(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.server.url, size=NARROWEST, cookies=shop.cookies) as shown:
        for path in PAGES[:-1]:
            shown.go(path)
            shown.fits()


def test_the_first_message_is_one_click_away(owner: Window) -> None:
    owner.go("/panel")
    owner.page.click("form.inline-send button[type=submit]")
    expect(owner.page.locator("#canli .notice-ok")).to_have_text(re.compile("Mesajınız iletildi"), timeout=15_000)
    expect(owner.page.locator(".way li[aria-current]")).to_contain_text("Okundu", timeout=15_000)
    owner.accessible()


def send(page: Page, number: str, text: str) -> None:
    page.fill("#telefon", number)
    page.fill("#mesaj", text)
    page.click("form[enctype] button[type=submit]")


def test_a_message_reaches_its_second_blue_tick_before_ones_eyes(shop: Shop, owner: Window) -> None:
    till = shop.server.client(shop.token)
    till.post("/hesaplar/1/duraklat", {})
    sent = till.post("/gonder", {"telefon": "+905000000001", "mesaj": "Sonra gidecek"}, Prefer="respond-async")
    owner.go(f"/panel/mesajlar/{sent.json['log_id']}")
    expect(owner.page.locator(".way li[aria-current]")).to_contain_text("Sırada")
    owner.page.evaluate("window.isTheSamePage = true")
    till.post("/hesaplar/1/devam", {})
    expect(owner.page.locator(".way li[aria-current]")).to_contain_text("Okundu")
    assert owner.page.evaluate("window.isTheSamePage")
    owner.accessible()


def test_a_failure_says_why_and_a_doubt_says_what_can_be_decided(owner: Window) -> None:
    owner.go("/panel/gonder")
    send(owner.page, "+905000000002", "Merhaba")
    expect(owner.page.locator(".way .at-bad")).to_contain_text("Başarısız", timeout=15_000)
    owner.page.click("#canli .card-header a")
    expect(owner.page.locator("#canli .notice-bad")).to_contain_text("numara_whatsappta_degil")
    owner.accessible()
    owner.go("/panel/gonder")
    send(owner.page, "+905000000008", "Merhaba")
    expect(owner.page.locator(".way .at-doubt")).to_contain_text("Belirsiz", timeout=15_000)
    owner.page.click("#canli .card-header a")
    expect(owner.page.locator(".notice-wait")).to_contain_text("iki kez okuyabilir")
    owner.page.click("button:has-text('Yeniden Gönder')")
    expect(owner.page.locator("dialog[open]")).to_contain_text("bir kez daha alır")
    owner.accessible()
    owner.page.keyboard.press("Escape")
    expect(owner.page.locator("dialog[open]")).to_have_count(0)


def test_what_people_write_is_text_and_nothing_else(owner: Window) -> None:
    owner.go("/panel/gonder")
    owner.page.fill("#isim", "<img src=x onerror=alert(1)>")
    send(owner.page, "+905000000001", '<b hx-on:click="window.hit=1" hx-get="/panel">{{7*7}}</b>')
    owner.page.wait_for_selector(".way")
    owner.page.click("#canli .card-header a")
    expect(owner.page.locator(".bubble-text")).to_have_text('<b hx-on:click="window.hit=1" hx-get="/panel">{{7*7}}</b>')
    owner.page.click(".bubble-text")
    assert owner.page.evaluate("window.hit") is None


def test_a_files_name_is_text_and_nothing_else(owner: Window) -> None:
    owner.go("/panel/gonder")
    name = '"><script>window.hit=1</script>.pdf'
    file = {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.4 x"}
    owner.page.set_input_files("#dosya", file)  # type: ignore[arg-type]
    send(owner.page, "+905000000001", "Ekte")
    owner.page.wait_for_selector(".way")
    for path in ("", "/panel/mesajlar"):
        owner.page.click("#canli .card-header a") if not path else owner.go(path)
        expect(owner.page.locator("main")).to_contain_text("script")
        assert owner.page.locator("main script").count() == 0
        assert owner.page.evaluate("window.hit") is None


def test_a_file_that_is_too_large_is_told_before_it_is_sent_and_the_text_stays(owner: Window, tmp_path: Path) -> None:
    large = tmp_path / "buyuk.pdf"
    large.write_bytes(b"%PDF-1.4" + b"x" * (16 * 1024 * 1024))
    owner.go("/panel/gonder")
    owner.page.fill("#mesaj", "Uzun uzun yazdım")
    owner.page.set_input_files("#dosya", large)
    expect(owner.page.locator("#dosya-hata")).to_contain_text("en çok 16 MB")
    assert owner.page.input_value("#mesaj") == "Uzun uzun yazdım"


def test_a_key_is_made_copied_tried_and_revoked(shop: Shop, owner: Window) -> None:
    owner.go("/panel/anahtarlar")
    owner.page.fill("#ad", "Kasa")
    owner.page.click("main form button[type=submit]:has-text('Anahtar oluştur')")
    expect(owner.page.locator("#anahtar")).to_have_text(re.compile(r"^gv_[0-9a-f]{64}$"))
    owner.accessible()
    owner.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.page.click("[data-copy=anahtar]")
    expect(owner.page.locator("#duyuru")).to_have_text("Kopyalandı")
    secret = owner.page.locator("#anahtar").inner_text()
    assert owner.page.evaluate("navigator.clipboard.readText()") == secret
    owner.page.click("[data-try]")
    expect(owner.page.locator("#yanit")).to_contain_text('"ok": true', timeout=15_000)
    owner.go("/panel/anahtarlar")
    assert secret not in owner.page.content(), "it is shown once"
    owner.page.locator("li", has_text="Kasa").last.locator("[data-dialog]").click()
    expect(owner.page.locator("dialog[open]")).to_contain_text("mesaj gönderemez")
    owner.page.click("dialog[open] button[type=submit]")
    expect(owner.page.locator("main")).not_to_contain_text("Kasa")
    told = {
        language: shop.server.client(secret).ask(
            "GET", "/api/v1/whatsapp/hesaplar", headers={"Accept-Language": language}
        )
        for language in ("tr", "en")
    }
    assert {answer.status for answer in told.values()} == {401}
    assert told["tr"].json["detail"] != told["en"].json["detail"]
    assert "anahtar" in told["tr"].json["detail"].lower()


def test_the_page_says_that_the_server_is_away_and_heals_when_it_is_back(shop: Shop, owner: Window) -> None:
    owner.expected = ["ERR_", "Failed to load", "network", "htmx:sse:error", "htmx:error"]
    owner.go("/panel")
    owner.page.wait_for_selector("#canli")
    owner.page.focus("a[href='/panel/mesajlar']")
    shop.server.kill()
    expect(owner.page.locator("#kopuk")).to_be_visible(timeout=15_000)
    shop.server.start()
    expect(owner.page.locator("#kopuk")).to_be_hidden(timeout=15_000)
    shop.server.client(shop.token).post("/gonder", {"telefon": "+905000000001", "mesaj": "Sonradan"})
    expect(owner.page.locator("#canli")).to_contain_text("Sonradan", timeout=15_000)
    focused = owner.page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == "/panel/mesajlar", "what is pushed takes no focus away"


def test_without_a_script_one_sends_and_reads_the_log(shop: Shop, browser: Browser) -> None:
    with window(browser, shop.server.url, script=False, cookies=shop.cookies) as shown:
        shown.go("/panel/gonder")
        send(shown.page, "+905000000001", "Betiksiz")
        expect(shown.page.locator(".way")).to_contain_text("Sırada")
        shown.go("/panel/mesajlar")
        expect(shown.page.locator("tbody")).to_contain_text("Betiksiz")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as whoever has no mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} can't be reached by the keyboard")


def test_a_bulk_is_sent_and_withdrawn_by_the_keyboard_alone(owner: Window) -> None:
    owner.go("/panel/toplu/yeni")
    page = owner.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "first comes the way past the menu"
    page.keyboard.press("Enter")
    tab_to(page, "#numaralar")
    page.keyboard.insert_text("\n".join(f"0532 333 {n // 100:02} {n % 100:02}" for n in range(80)))
    tab_to(page, "button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector("button[value=kontrol]")
    tab_to(page, "button[value=kontrol]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#mesaj")
    tab_to(page, "#mesaj")
    page.keyboard.insert_text("Merhaba")
    tab_to(page, "#izin")
    page.keyboard.press("Space")
    tab_to(page, "button[value=baslat]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/toplu/\d+$"))
    tab_to(page, "#canli button[formaction$=duraklat]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#canli button[formaction$=devam]")
    tab_to(page, "#canli a[href$=iptal]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/iptal$"))
    tab_to(page, "button.btn-danger")
    page.keyboard.press("Enter")
    expect(page.locator("#canli .notice-info")).to_contain_text("İptal edildi.")


@pytest.mark.parametrize("meanwhile", ["nothing moves", "what opened it is drawn anew"])
def test_a_dialog_is_opened_and_left_by_the_keyboard(owner: Window, meanwhile: str) -> None:
    owner.go("/panel/gonder")
    send(owner.page, "+905000000001", "Merhaba")
    owner.page.wait_for_selector(".way")
    owner.page.click("#canli .card-header a")
    owner.page.wait_for_selector("[data-dialog=yeniden]:visible")
    tab_to(owner.page, "[data-dialog=yeniden]")
    owner.page.keyboard.press("Enter")
    expect(owner.page.locator("dialog[open]")).to_be_visible()
    if meanwhile != "nothing moves":
        owner.page.evaluate("document.querySelector('[data-dialog=yeniden]').outerHTML += ''")
    owner.page.keyboard.press("Escape")
    expect(owner.page.locator("dialog[open]")).to_have_count(0)
    expect(owner.page.locator("[data-dialog=yeniden]")).to_be_focused()


INJECT = """
const made = document.createElement("div");
made.innerHTML = `<button id="kotu" class="btn" hx-on:click="window.hit = 1" onclick="window.hit = 2">x</button>
<img src="/panel/static/guvercin.svg" onload="window.hit = 3"><a id="kotu-bag" href="javascript:window.hit=4">y</a>`;
document.querySelector("main").prepend(made);
htmx.process(made);
"""


def test_what_is_put_into_a_page_does_not_run_even_when_it_is_clicked(owner: Window) -> None:
    owner.expected = ["Content Security Policy", "script-src", "violates", "unsafe", "Refused", "eval"]
    owner.go("/panel")
    owner.page.evaluate(INJECT)
    owner.page.click("#kotu")
    owner.page.click("#kotu-bag")
    assert owner.page.evaluate("window.hit") is None
    assert owner.page.evaluate("window.violations.length") >= 2, "the policy stopped it, and not chance"


HTMX_HAS_BEGUN = """async () => {
  while (typeof htmx === "undefined") await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done));
}"""


def test_a_stream_is_opened_however_late_its_script_comes(owner: Window) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    owner.page.route("**/hx-sse.*.js", hold)
    owner.page.goto(f"{owner.address}/panel", wait_until="commit")
    owner.page.evaluate(HTMX_HAS_BEGUN)
    with owner.page.expect_response(re.compile("/panel/canli")) as streams:
        held[0].continue_()
    assert streams.value.status == 200


def test_a_tab_that_was_hidden_is_right_again_at_once(shop: Shop, owner: Window) -> None:
    hide = """(is) => {
      Object.defineProperty(document, "hidden", {configurable: true, get: () => is});
      Object.defineProperty(document, "visibilityState", {configurable: true, get: () => is ? "hidden" : "visible"});
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with owner.page.expect_response(re.compile("/panel/canli")):
        owner.go("/panel")
    owner.page.evaluate(hide, True)
    shop.server.client(shop.token).post("/gonder", {"telefon": "+905000000001", "mesaj": "Uykudayken"})
    owner.page.evaluate(hide, False)
    expect(owner.page.locator("#canli")).to_contain_text("Uykudayken", timeout=15_000)


PICTURES = ROOT / "docs" / "img"


def test_the_pictures_of_the_documents(shop: Shop, browser: Browser, tmp_path: Path) -> None:
    """The long run puts them where the documents show them."""
    folder = PICTURES if IS_LONG else tmp_path
    till = shop.server.client(shop.token)
    rows = [{"telefon": f"+90532111{n:04}", "isim": f"Müşteri {n}"} for n in range(60)]
    rows.append({"telefon": "9,05321E+11", "isim": "Fatma Işık"})
    text = {"mesaj": "Merhaba {isim}, siparişiniz yola çıktı.", "sablon": True}
    till.post("/toplu-gonder", {"alicilar": rows, **text}, Prefer="respond-async")
    looks = (
        ("panel-ozet", "/panel", WIDE, "light", ".bar"),
        ("panel-toplu", "/panel/toplu/1", WIDE, "dark", ".bar"),
        ("panel-telefon", "/panel", NARROW, "light", ".bar"),
        ("panel-mesajlar", "/panel/mesajlar", WIDE, "light", "tbody tr"),
        ("panel-istemeyenler", "/panel/istemeyenler", NARROW, "dark", "h1"),
    )
    for name, path, size, theme, shows in looks:
        with window(browser, shop.server.url, size=size, theme=theme, cookies=shop.cookies) as shown:
            shown.go(path)
            expect(shown.page.locator(shows).first).to_be_visible(timeout=15_000)
            shown.page.screenshot(path=folder / f"{name}.png")
            assert 5_000 < (folder / f"{name}.png").stat().st_size < 200_000
