"""A bulk goes on when its server was killed: the page heals, and nobody gets a message twice."""

import json
import re
from collections import Counter

import pytest
from playwright.sync_api import expect
from tests.panel.browser import Window
from tests.panel.conftest import Shop

pytestmark = pytest.mark.e2e

PEOPLE = 40


def test_a_bulk_survives_a_kill_and_its_page_too(shop: Shop, owner: Window) -> None:
    owner.expected = ["ERR_", "Failed to load", "network", "htmx:sse:error", "htmx:error"]
    numbers = [f"+9053210010{n:02}" for n in range(PEOPLE)]
    owner.go("/panel/toplu/yeni")
    owner.page.fill("#numaralar", "\n".join(numbers))
    owner.page.click("main form[enctype] button[type=submit]")
    owner.page.click("button[value=kontrol]")
    owner.page.fill("#mesaj", "Merhaba")
    owner.page.check("[name=izin]")
    owner.page.click(f"button:has-text('{PEOPLE} mesajı göndermeye başla')")
    owner.page.wait_for_url(re.compile(r"/toplu/\d+$"))
    bar = owner.page.locator("[role=progressbar]")
    expect(bar).not_to_have_attribute("aria-valuenow", "0", timeout=15_000)
    owner.page.click("button:has-text('Duraklat')")
    expect(owner.page.locator("button:has-text('Devam et')")).to_be_visible(timeout=15_000)
    owner.page.click("button:has-text('Devam et')")
    # A server that dies before it has answered leaves the browser's own page: ours stands first.
    expect(owner.page.locator("button:has-text('Duraklat')")).to_be_visible(timeout=15_000)
    shop.server.kill()
    expect(owner.page.locator("#kopuk")).to_be_visible(timeout=15_000)
    shop.server.start()
    expect(owner.page.locator("#kopuk")).to_be_hidden(timeout=20_000)
    expect(bar).to_have_attribute("aria-valuenow", str(PEOPLE), timeout=60_000)
    expect(owner.page.locator("#canli .notice-ok")).to_contain_text("Bitti", timeout=15_000)
    arrived = Counter(json.loads(line).get("number") for line in shop.server.arrivals.read_text().splitlines())
    arrived = Counter({number: arrived[number] for number in numbers})
    assert set(arrived.values()) <= {0, 1}, "nobody has it twice"
    assert sum(arrived.values()) >= PEOPLE - 1, "at most the one in hand is in doubt"
