"""A browser before the panel, that reports what no page may do.

Laws
1. Whatever a page did wrong while it was looked at (a script error, a violated policy, a request to elsewhere) fails
   the test that looked, when its window closes.
2. Nothing sleeps: Playwright waits for what is expected, up to its own limit.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

AXE = Path(__file__).with_name("axe.js")

WIDE, NARROW, NARROWEST = (1280, 900), (390, 844), (320, 640)

LIMIT = 15_000
"""Milliseconds that something may take to appear on a machine with other things to do."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
"""


def chromium() -> str:
    """Answer where the system's Chromium is, or skip."""
    # The first of them has no windows to draw around its pages: it takes a third of the time.
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("chromium is not installed")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser."""
    path = chromium()
    with sync_playwright() as playwright:
        options = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@dataclass
class Window:
    """One page of one visitor."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """Pieces of what the browser itself reports where a test asks for a refusal."""

    def go(self, path: str) -> None:
        """Open an address of the panel."""
        self.page.goto(f"{self.address}{path}", wait_until="load")

    def check(self) -> None:
        """Fail for whatever the page did wrong until now."""
        self.faults += self.page.evaluate("window.violations ?? []")
        self.page.evaluate("window.violations = []")
        found = [fault for fault in self.faults if not any(known in fault for known in self.expected)]
        assert not found, found

    def fits(self) -> None:
        """Fail if the page scrolls sideways."""
        self.page.wait_for_load_state()
        over = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{over} pixels too wide: {self.page.url}"

    def accessible(self) -> None:
        """Fail for what axe-core finds."""
        self.page.wait_for_load_state()
        # Through the debugger and not as an element: the page's policy stays as it is.
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "(rules) => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", _RULES
        )
        told = [
            f"{each['id']}: {node['html'][:160]} -- {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]
        assert not told, f"{self.page.url}\n" + "\n".join(told)


@contextmanager
def window(
    browser: Browser,
    address: str,
    *,
    size: tuple[int, int] = WIDE,
    theme: str = "light",
    language: str = "tr",
    script: bool = True,
    cookies: list[Any] | None = None,
) -> Iterator[Window]:
    """Open a window of a new visitor."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale={"tr": "tr-TR", "en": "en-GB"}[language],
        java_script_enabled=script,
        has_touch=size != WIDE,
    )
    context.set_default_timeout(LIMIT)
    context.add_init_script(_WATCH)
    if cookies:
        context.add_cookies(cookies)
    made = Window(context.new_page(), address)

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            made.faults.append(f"{message.text} ({made.page.url})")

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            made.faults.append(f"a request to {request.url}")

    made.page.on("console", heard)
    made.page.on("pageerror", lambda error: made.faults.append(f"{error} ({made.page.url})"))
    made.page.on("request", asked)
    try:
        yield made
        if script:
            made.check()
    finally:
        context.close()
