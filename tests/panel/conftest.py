"""One server and one browser for the tests of a module; every test has a window of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.e2e.server import Server
from tests.panel.browser import Window, browsing, window

from guvercin.store.schema import prepare
from guvercin.store.sqlite import engine_for

PASSWORD = "bir güvercin iki mektup"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; every test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "guvercin.db"
    engine = engine_for(path, create=True)
    prepare(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser for one module: while its driver runs no other event loop can, so no async test stands there."""
    with browsing() as browser:
        yield browser


@dataclass
class Shop:
    """A panel that was set up, and the cookies of whoever did."""

    server: Server
    cookies: list[Any]

    @property
    def token(self) -> str:
        return self.server.first_token()


def setup_link(server: Server) -> str:
    """Ask the server's own machine for the one-time link; answers its path."""
    done = server.cli("kurulum-linki")
    assert done.returncode == 0, done.stderr
    address, _, path = done.stdout.strip().partition(f":{server.port}")
    assert address == "http://127.0.0.1"
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Shop]:
    with Server(tmp_path_factory.mktemp("dukkan") / "veri") as server:
        server.start()
        yield Shop(server=server, cookies=set_up(server, browser))


def set_up(server: Server, browser: Browser) -> list[Any]:
    """Set a panel up as its owner does; answers the owner's cookies."""
    with window(browser, server.url) as shown:
        shown.go(setup_link(server))
        shown.page.fill("#isletme", "Yılmaz Market")
        shown.page.fill("#parola", PASSWORD)
        shown.page.click("button[type=submit]:has-text('Paneli aç')")
        shown.page.wait_for_url(re.compile("/panel$"))
        return list(shown.page.context.cookies())


@pytest.fixture
def owner(shop: Shop, browser: Browser) -> Iterator[Window]:
    """A window of the owner's, on a computer."""
    with window(browser, shop.server.url, cookies=shop.cookies) as shown:
        yield shown


@pytest.fixture
def stranger(shop: Shop, browser: Browser) -> Iterator[Window]:
    """A window of somebody who has not signed in."""
    with window(browser, shop.server.url) as shown:
        yield shown


def shoot(window: Window, name: str, folder: Path) -> None:
    """Keep a picture of a page."""
    window.page.screenshot(path=folder / f"{name}.png", full_page=True)
