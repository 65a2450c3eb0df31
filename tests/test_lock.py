"""The locks install the same bytes everywhere, and name no place to fetch them from: the installer knows one."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))

ENTRY = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[0-9][A-Za-z0-9.!+-]*)(?: ; (?P<marker>[^\\]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n",
    re.MULTILINE,
)
"""All that a lock may hold: a name, an exact version, a marker, hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    version: Version
    marker: Marker | None


def pins(lock: str) -> dict[str, Pin]:
    entries = ENTRY.finditer((ROOT / lock).read_text(encoding="utf-8"))
    return {
        entry["name"]: Pin(
            version=Version(entry["version"]), marker=Marker(entry["marker"]) if entry["marker"] else None
        )
        for entry in entries
    }


def asked_for(extra: str | None = None) -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {need.name: need for need in map(Requirement, needs)}


PLACES = {
    "Linux on x86-64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "Linux on ARM": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "macOS on Apple silicon": {"sys_platform": "darwin", "platform_machine": "arm64"},
    "macOS on Intel": {"sys_platform": "darwin", "platform_machine": "x86_64"},
    "Windows": {"sys_platform": "win32", "platform_machine": "AMD64"},
}


def test_there_is_a_lock_for_each_purpose() -> None:
    assert [
        *("requirements-build.txt", "requirements-dev.txt", "requirements-postgres.txt", "requirements-test.txt"),
        *("requirements-web.txt", "requirements.txt"),
    ] == LOCKS


@pytest.mark.parametrize("lock", LOCKS)
def test_holds_hashed_versions_and_nothing_else(lock: str) -> None:
    """No host, no index, no address, no path, no comment: whatever is left over after the entries is a fault."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert ENTRY.sub("", text) == ""
    assert pins(lock)


@pytest.mark.parametrize(
    ("lock", "extra"),
    [
        ("requirements.txt", None),
        ("requirements-web.txt", "web"),
        ("requirements-test.txt", "test"),
        ("requirements-postgres.txt", "postgres"),
    ],
)
def test_locks_what_the_project_asks_for(lock: str, extra: str | None) -> None:
    locked = pins(lock)
    missing = [name for name in asked_for(extra) if name not in locked]
    outside = [
        name for name, need in asked_for(extra).items() if name in locked and locked[name].version not in need.specifier
    ]
    assert (missing, outside) == ([], [])


def test_one_package_of_phone_numbers_is_enough() -> None:
    """Both lay their files into one folder: the second to be installed would write over the first."""
    assert "phonenumberslite" in pins("requirements.txt")
    assert [lock for lock in LOCKS if "phonenumbers" in pins(lock)] == []


@pytest.mark.parametrize("place", PLACES)
def test_is_one_lock_for_every_place(place: str) -> None:
    """On each platform the lock installs exactly those direct dependencies that the project asks for there."""

    def applies(marker: Marker | None) -> bool:
        return marker is None or marker.evaluate(PLACES[place])

    locked = pins("requirements.txt")
    assert {name for name in asked_for() if applies(locked[name].marker)} == {
        name for name, need in asked_for().items() if applies(need.marker)
    }


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Linux on x86-64", True),
        ("macOS on Apple silicon", True),
        ("Windows", True),
        ("Linux on ARM", False),
        ("macOS on Intel", False),
    ],
)
def test_brings_its_own_sqlite_where_there_is_a_wheel(place: str, *, expected: bool) -> None:
    marker = pins("requirements.txt")["pysqlite3"].marker
    assert marker is not None
    assert marker.evaluate(PLACES[place]) is expected


def test_the_locks_agree_on_what_they_share() -> None:
    versions: dict[str, set[Version]] = {}
    for lock in LOCKS:
        for name, pin in pins(lock).items():
            versions.setdefault(name, set()).add(pin.version)
    assert {name: seen for name, seen in versions.items() if len(seen) > 1} == {}
