"""The package as others get it: the wheel holds everything and nothing more, and alone it sends a message."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import suppress
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.e2e.server import POLL, START_LIMIT, Client, Gone, free_port, monotonic

import guvercin

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(guvercin.__file__).parent
VERSION = guvercin.__version__
ABOUT = f"guvercin-{VERSION}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources, without a network, as `deploy/Dockerfile` does."""
    bench = tmp_path_factory.mktemp("bench")
    shutil.copytree(SOURCE, bench / "src" / "guvercin", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, bench)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(bench / "dist"), str(bench))
    (built,) = (bench / "dist").iterdir()
    return built


def pip(python: str | Path, *words: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), *quiet, *words, "--no-index"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_everything_and_nothing_more(wheel: Path) -> None:
    sources = {
        f"guvercin/{path.relative_to(SOURCE).as_posix()}"
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".mo"
    }
    catalogues = {re.sub(r"\.po$", ".mo", name) for name in sources if name.endswith(".po")}
    about = {f"{ABOUT}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    with ZipFile(wheel) as archive:
        assert set(archive.namelist()) == sources | catalogues | about
        assert archive.read(f"{ABOUT}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        for name in archive.namelist():
            assert str(wheel.parents[1]).encode() not in archive.read(name), f"{name} names where it was built"
    # What would be missed first, by name.
    assert "guvercin/py.typed" in sources
    assert catalogues == {"guvercin/locale/tr/LC_MESSAGES/guvercin.mo"}
    assert {"guvercin/panel/templates/kabuk.html", "guvercin/panel/static/tabler.css"} <= sources
    assert "guvercin/store/migrations/versions/0001_foundation.py" in sources
    assert "guvercin/store/migrations/script.py.mako" in sources


def test_its_data_says_what_the_project_says(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        about = Parser().parsestr(archive.read(f"{ABOUT}/METADATA").decode())
        entry = archive.read(f"{ABOUT}/entry_points.txt").decode()
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("guvercin", VERSION, "Apache-2.0")
    assert about["Requires-Python"] == ">=3.11"
    assert entry.split() == ["[console_scripts]", "guvercin", "=", "guvercin.cli:app"]


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that has the wheel, what the wheel asks for, and nothing else; answers its `bin`.

    There is no network in tests: what it asks for is linked from where the tests run.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    for name in needed(wheel):
        found = metadata.distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}
        for top in tops:
            with suppress(FileExistsError):  # two packages may share one folder
                (packages / top).symlink_to(str(found.locate_file(top)))
    pip(home / "bin" / "python", "install", "--no-deps", str(wheel))
    return home / "bin"


def needed(wheel: Path) -> set[str]:
    """Name everything that the wheel requires on this machine, and what that requires."""
    with ZipFile(wheel) as archive:
        about = Parser().parsestr(archive.read(f"{ABOUT}/METADATA").decode())
    found: set[str] = set()
    waiting = list(about.get_all("Requires-Dist", []))
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += metadata.requires(name) or []
    return found


@pytest.fixture
def server(environment: Path, tmp_path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Start the installed program in an empty home; answers its port and the environment of its owner."""
    home = tmp_path / "home"
    home.mkdir()
    own = {"HOME": str(home), "PATH": f"{environment}{os.pathsep}/usr/bin", "LANG": "tr_TR.UTF-8"}
    port = free_port()
    said = tmp_path / "said"
    with said.open("wb") as out:
        command = [str(environment / "guvercin"), "baslat", "--port", str(port)]
        process = subprocess.Popen(command, cwd=home, env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        deadline = monotonic() + START_LIMIT
        while not is_ready(port):
            assert monotonic() < deadline, said.read_text()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(POLL)
        # Nobody watches, and what is said doesn't wait in a buffer: a journal has it at once.
        assert said.read_text().endswith("Durdurmak için Ctrl+C.\n")
        yield port, own
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def is_ready(port: int) -> bool:
    client = Client(port, timeout=5)
    try:
        return client.ask("GET", "/hazir").status == 200
    except Gone:
        return False
    finally:
        client.close()


@pytest.mark.e2e
def test_installed_alone_it_sends_a_message_from_an_empty_home(
    environment: Path, server: tuple[int, dict[str, str]], tmp_path: Path
) -> None:
    port, own = server
    folder = Path(own["HOME"], ".local", "share", "guvercin")

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(environment / "guvercin"), *words],
            cwd=tmp_path,
            env=own,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return done.stdout

    where = [str(environment / "python"), "-c", "import guvercin; print(guvercin.__file__)"]
    assert str(environment.parent) in subprocess.run(where, env=own, capture_output=True, check=True).stdout.decode()
    assert run("--surum") == f"{VERSION}\n"
    sent = json.loads(run("gonder", "+905000000001", "Merhaba", "--json"))
    assert sent["message_id"].startswith("DENEME-")
    record = json.loads(run("durum", str(sent["log_id"]), "--json"))["data"]
    assert record["durum"] in {"sent", "delivered", "read"}

    client = Client(port, (folder / "ilk-anahtar.txt").read_text().strip())
    try:
        assert client.get(f"/durum/{sent['log_id']}").json["data"]["alici"] == "+905000000001"
        page = client.ask("GET", "/belge", headers={"Accept": "text/html"})  # the templates are there
        assert (page.status, "Mesaj Gönder" in page.text) == (200, True)  # and the catalogue
    finally:
        client.close()
    kept = {path.relative_to(own["HOME"]).parts[:3] for path in Path(own["HOME"]).rglob("*") if path.is_file()}
    assert kept == {(".local", "share", "guvercin")}, "nothing is written elsewhere in its owner's home"
