"""What the panel shows but did not write is what the lock says, and no page asks for more than its policy allows."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

import guvercin
from guvercin.panel import assets

ROOT = Path(__file__).resolve().parents[2]
PANEL = Path(guvercin.__file__).parent / "panel"
LOCK = json.loads((ROOT / "scripts" / "vendor.lock.json").read_text("utf-8"))

FORBIDDEN = {
    "a style of its own": r"\sstyle\s*=|<style",
    "a script of its own": r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|javascript:",
    "what needs eval": r"hx-on|\bjs:|hx-trigger=\"[^\"]*\[",
    "a foreign address": r"(?:src|href|action)=[\"']https?:",
}


def test_what_is_vendored_is_what_the_lock_says() -> None:
    listed = {name: digest for package in LOCK for name, digest in package["files"].items()}
    found = {name: sha256((ROOT / name).read_bytes()).hexdigest() for name in listed}
    assert found == listed
    own = {"app.css", "app.js", "theme.js", "guvercin.svg", "guvercin-alarm.svg"}
    there = {path.name for path in (PANEL / "static").iterdir()}
    assert there == own | {Path(name).name for name in listed if "panel/static" in name}
    told = (ROOT / "THIRD_PARTY.md").read_text("utf-8")
    for package in LOCK:
        assert f"| {package['name']} | {package['version']} | {package['licence']} |" in told


@pytest.mark.parametrize("fault", FORBIDDEN)
def test_no_template_has(fault: str) -> None:
    pattern = re.compile(FORBIDDEN[fault])
    slips = {
        f"{path.name}: {line.strip()}"
        for path in (PANEL / "templates").glob("*.html")
        for line in path.read_text("utf-8").splitlines()
        if pattern.search(line)
    }
    assert slips == set()


def test_every_icon_that_a_page_names_is_drawn_and_every_drawn_one_is_named() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (PANEL / "static" / "icons.svg").read_text("utf-8")))
    sources = "\n".join(
        path.read_text("utf-8") for path in PANEL.rglob("*") if path.suffix in {".html", ".py"} and path.is_file()
    )
    quoted = set(re.findall(r"[\"']([a-z0-9-]+)[\"']", sources))
    named = set(re.findall(r"icon\(\"([a-z0-9-]+)\"", sources))
    assert named <= drawn
    assert drawn <= quoted, f"take these out of scripts/vendor_assets.py: {drawn - quoted}"


def test_what_is_marked_safe_stands_in_few_places() -> None:
    places = {
        path.name: path.read_text("utf-8").count("Markup(") + path.read_text("utf-8").count("|safe")
        for path in PANEL.rglob("*")
        if path.suffix in {".html", ".py"}
    }
    assert {name: count for name, count in places.items() if count} == {"drawing.py": 4, "accounts.py": 1}


def test_an_asset_is_named_by_its_content() -> None:
    asset = assets.read("app.css")
    assert assets.address("app.css") == f"/panel/static/app.{sha256(asset.content).hexdigest()[:8]}.css"
    for name in ("../app.py", "nothing.css", "app.py"):
        with pytest.raises(FileNotFoundError):
            assets.read(name)
