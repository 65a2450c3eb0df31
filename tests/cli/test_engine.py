"""The engine of linked phones: looked at, raised alone from wheels on this machine, and taken back."""

import hashlib
import json
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.cli.running import Guvercin

from guvercin.cli.start import engine_trouble
from guvercin.locale import Language, translator
from guvercin.transports.web.engines import PACKAGE, Engines, installed, is_in_range

NEWER, BROKEN = "0.5.99", "0.5.98"


def wheel(folder: Path, version: str, *, loads: bool = True) -> Path:
    """Make a wheel of the installed engine under another version; one that doesn't load has no library."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    (package,) = map(Path, spec.submodule_search_locations or [])
    made = folder / f"{PACKAGE}-{version}-py3-none-any.whl"
    notes = f"{PACKAGE}-{version}.dist-info"
    with zipfile.ZipFile(made, "w") as packed:
        for file in sorted(package.rglob("*")):
            name = f"{PACKAGE}/{file.relative_to(package)}"
            if file.is_dir() or "__pycache__" in name or (not loads and re.match(rf"{PACKAGE}-.*\.so", file.name)):
                continue
            content = file.read_bytes()
            if name == f"{PACKAGE}/__init__.py":
                content = re.sub(rb'__version__ = ".*"', f'__version__ = "{version}"'.encode(), content)
            packed.writestr(name, content)
        packed.writestr(f"{notes}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
        packed.writestr(
            f"{notes}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr(f"{notes}/RECORD", "")
    return made


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lend a folder that pip takes wheels from, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def own() -> str:
    engine = installed()
    assert engine is not None
    return engine.version


def test_it_says_which_it_is_and_how_old(guvercin: Guvercin) -> None:
    found = guvercin("motor", "--json").json["data"]
    assert (found["surum"], found["denendi"], found["yukseltildi"], found["calisiyor"]) == (own(), True, False, True)
    assert found["yas_gun"] >= 0
    out = guvercin("engine").out
    assert f"Engine {own()}\n" in out
    assert f"{found['yas_gun']} days old" in out
    assert not guvercin.data_dir.exists()


def test_it_is_raised_alone_and_taken_back(guvercin: Guvercin, shelf: Path) -> None:
    made = wheel(shelf, NEWER)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    refused = guvercin("motor", "yukselt", NEWER, "--hash", "0" * 64, "--evet", code=1)
    assert "SHA-256" in refused.err
    done = guvercin("motor", "yukselt", NEWER, "--hash", digest, "--evet")
    assert "has not been tried by us" in done.err
    assert own() != NEWER, "the environment is as it was"
    found = guvercin("motor", "--json").json["data"]
    assert (found["surum"], found["denendi"], found["yukseltildi"], found["calisiyor"]) == (NEWER, False, True, True)
    lights = {each["ad"]: each["durum"] for each in guvercin("doktor", "--json", code=None).json["data"]}
    assert lights["motor"] == "sari"
    assert guvercin("motor", "geri-al", "--json").json["data"] == {"surum": own(), "denendi": True}
    assert guvercin("motor", "--json").json["data"]["surum"] == own()


def test_what_does_not_run_is_not_used(guvercin: Guvercin, shelf: Path) -> None:
    wheel(shelf, BROKEN, loads=False)
    done = guvercin("motor", "yukselt", "--evet", code=1)
    assert f"Engine {BROKEN} does not run here, and nothing was changed" in done.err
    assert guvercin("motor", "--json").json["data"]["surum"] == own()
    assert [entry.name for entry in (guvercin.data_dir / "motor").iterdir()] == []


@pytest.mark.usefixtures("shelf")
def test_where_there_is_nothing_newer(guvercin: Guvercin) -> None:
    assert "has no engine" in guvercin("motor", "yukselt", "--evet", code=1).err


def test_without_a_network(guvercin: Guvercin, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    done = guvercin("motor", "yukselt", "--evet", code=1)
    assert "could not be reached; nothing was changed" in done.err


@pytest.mark.parametrize("version", ["0.4.9", "0.6.0", "1.0", "0.5.2; import os", "--help", "0.5.3rc1"])
def test_what_is_outside_the_range_is_not_fetched(guvercin: Guvercin, version: str) -> None:
    assert not is_in_range(version)
    assert guvercin("motor", "yukselt", "--evet", "--", version, code=2).out == ""


def test_nobody_is_there_to_be_asked(guvercin: Guvercin) -> None:
    assert "--evet" in guvercin("motor", "yukselt", code=1).err


def test_a_pointer_to_nothing_or_to_something_older_is_none(tmp_path: Path) -> None:
    engines = Engines(tmp_path)
    for written in (b"", b"{}", json.dumps({"version": "0.5.99"}).encode()):
        (tmp_path / "chosen.json").write_bytes(written)
        assert engines.current() == installed()
    (engines.folder_of("0.5.1") / PACKAGE).mkdir(parents=True)
    engines.choose("0.5.1")
    assert engines.current() == installed(), "Güvercin brings something newer by now"


def test_what_is_missing_is_said_at_the_start_and_by_the_doctor(
    guvercin: Guvercin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = translator(Language.EN)
    assert engine_trouble(say) is None
    assert engine_trouble(say, package="nosuchengine") == "Linked phones: the engine is not installed."
    assert engine_trouble(say, package="json") == "Linked phones: the engine does not run here."
    (tmp_path / "segno.py").write_text("")  # left out of a worker: nobody asks what it is
    (tmp_path / "PIL.py").write_text("raise ImportError('built for another platform')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = {each["ad"]: each for each in guvercin("doktor", "--json", code=None).json["data"]}
    assert found["motor"]["durum"] == "sari"
    assert "not supported by the engine" in found["motor"]["cozum"]
