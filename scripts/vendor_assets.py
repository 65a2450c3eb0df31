"""Fetch what the panel shows but did not write: Tabler's style sheet and icons, htmx, and axe-core for the tests.

A maintainer runs it after changing a version below, looks at every page, and commits what it wrote. Nobody else needs
it, or npm: an install fetches nothing. What it writes is listed in vendor.lock.json, which the tests compare.

    python scripts/vendor_assets.py
"""

import json
import re
import subprocess
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "guvercin" / "panel" / "static"
LOCK = ROOT / "scripts" / "vendor.lock.json"
TESTS = ROOT / "tests" / "panel"

TABLER, ICONS, HTMX, AXE = "@tabler/core@1.6.1", "@tabler/icons@3.52.0", "htmx.org@4.0.1", "axe-core@4.14.1"

DRAWN = (
    "alert-triangle",
    "ban",
    "brand-whatsapp",
    "chart-bar",
    "check",
    "checks",
    "chevron-right",
    "circle-x",
    "clock",
    "copy",
    "device-mobile",
    "download",
    "external-link",
    "eye",
    "file",
    "filter",
    "flask",
    "help-circle",
    "home",
    "hourglass",
    "inbox",
    "info-circle",
    "key",
    "link",
    "list-search",
    "lock",
    "logout",
    "menu-2",
    "moon",
    "player-pause",
    "player-play",
    "plug-connected-x",
    "plus",
    "qrcode",
    "refresh",
    "search",
    "send",
    "settings",
    "star",
    "sun",
    "trash",
    "unlink",
    "upload",
    "user",
    "user-off",
    "users-group",
    "webhook",
)
"""The icons that the pages use."""

_IMAGE = re.compile(r"""url\("data:image/svg\+xml,([^"]+)"\)""")
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def unpack(package: str, folder: Path) -> Path:
    """Fetch a package with npm and answer its folder."""
    done = subprocess.run(  # noqa: S603 -- the names above
        ["npm", "pack", package, "--silent"],  # noqa: S607 -- npm is where PATH says
        cwd=folder,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    with tarfile.open(folder / done.stdout.strip()) as archive:
        archive.extractall(folder / package.replace("/", "-"), filter="data")
    return folder / package.replace("/", "-") / "package"


def style(package: Path) -> list[Path]:
    """Write the style sheet, and its inline images as files: the policy of our pages allows no `data:`."""
    written = []

    def as_file(found: re.Match[str]) -> str:
        image = unquote(found[1]).encode()
        file = STATIC / f"tabler-{sha256(image).hexdigest()[:8]}.svg"
        file.write_bytes(image + b"\n")
        written.append(file)
        return f"url({file.name})"

    text = _without_map((package / "dist/css/tabler.min.css").read_text("utf-8"))
    sheet = STATIC / "tabler.css"
    sheet.write_text(_IMAGE.sub(as_file, text), "utf-8")
    return [sheet, *sorted(set(written))]


def sprite(package: Path) -> list[Path]:
    """Write the icons as one file of symbols."""
    symbols = []
    for name in DRAWN:
        found = _DRAWING.search((package / "icons/outline" / f"{name}.svg").read_text("utf-8"))
        assert found, name  # noqa: S101 -- the icon set has changed its form
        drawing = re.sub(r"\s*\n\s*", "", found[1])
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    file = STATIC / "icons.svg"
    file.write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n", "utf-8")
    return [file]


def scripts(package: Path, names: dict[str, Path]) -> list[Path]:
    """Write scripts without the line that names their source map."""
    for source, target in names.items():
        target.write_text(_without_map((package / source).read_text("utf-8")), "utf-8")
    return list(names.values())


def _without_map(text: str) -> str:
    return re.sub(r"(//|/\*)# sourceMappingURL=\S+( \*/)?\s*", "", text).rstrip() + "\n"


def main() -> None:
    """Fetch, write, and write down what was written."""
    with tempfile.TemporaryDirectory() as folder:
        lock = []
        for package, make in (
            (TABLER, style),
            (ICONS, sprite),
            (
                HTMX,
                lambda at: scripts(
                    at, {"dist/htmx.min.js": STATIC / "htmx.js", "dist/ext/hx-sse.min.js": STATIC / "hx-sse.js"}
                ),
            ),
            (AXE, lambda at: scripts(at, {"axe.min.js": TESTS / "axe.js"})),
        ):
            at = unpack(package, Path(folder))
            about = json.loads((at / "package.json").read_text("utf-8"))
            files = {str(file.relative_to(ROOT)): sha256(file.read_bytes()).hexdigest() for file in make(at)}
            lock.append(
                {"name": about["name"], "version": about["version"], "licence": about["license"], "files": files}
            )
    LOCK.write_text(json.dumps(lock, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
