"""Which engine the workers load: the one that Güvercin came with, or a newer one that its owner raised.

A raised engine lies in a folder of its own and a pointer names it. What Güvercin is installed in is never touched, so
going back is to forget the pointer, and an update of Güvercin takes over by itself once it brings something newer.

Laws
1. Nothing here loads an engine: the library belongs into a worker's process.
2. A pointer to what isn't there, or is older than what was installed, is no pointer.
"""

import mmap
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path

import orjson

PACKAGE = "neonize"

PASSED = frozenset({"0.5.2"})
"""The versions that the whole suite has been run with."""

LEAST, BELOW = "0.5.2", "0.6"
"""The range in which an engine may be raised: within it the calls that the worker makes have not changed so far."""

_POINTER = "chosen.json"
_LIBRARIES = frozenset({".so", ".dylib", ".dll"})
_CORE = re.compile(rb"go\.mau\.fi/whatsmeow\tv[0-9.]+-(?:0\.)?(\d{14})-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that can be loaded. `folder` goes first on a worker's path; null: it is installed beside us."""

    version: str
    folder: Path | None

    @property
    def has_passed(self) -> bool:
        """Say whether the suite has been run with it."""
        return self.version in PASSED


class Engines:
    """The engines of a data folder. Reads files: not for the event loop."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def current(self) -> Engine | None:
        """Answer the engine that workers load from their next start on; null: there is none."""
        return self._raised() or installed()

    def folder_of(self, version: str) -> Path:
        """Answer where a raised engine of this version lies, or would."""
        return self.root / version

    def choose(self, version: str) -> None:
        """Let workers load this version."""
        draft = self.root / f"{_POINTER}.new"
        draft.write_bytes(orjson.dumps({"version": version}))
        draft.replace(self.root / _POINTER)

    def go_back(self) -> None:
        """Let workers load what was installed."""
        (self.root / _POINTER).unlink(missing_ok=True)

    def _raised(self) -> Engine | None:
        try:
            version = str(orjson.loads((self.root / _POINTER).read_bytes())["version"])
        except (OSError, ValueError, LookupError, TypeError):
            return None
        folder, own = self.folder_of(version), installed()
        if not (folder / PACKAGE).is_dir() or (own is not None and number(own.version) >= number(version)):
            return None
        return Engine(version=version, folder=folder)


def installed() -> Engine | None:
    """Answer the engine that is installed beside us; null: none is."""
    try:
        return Engine(version=version_of(PACKAGE), folder=None)
    except PackageNotFoundError:
        return None


def obstacle(package: str = PACKAGE) -> str | None:
    """Answer what keeps the installed engine from running here, as far as can be seen from outside; null: nothing.

    «package»: it is not installed. «library»: it brought none for this platform.
    """
    spec = find_spec(package)
    if spec is None:
        return "package"
    if not any(library_in(Path(folder)) for folder in spec.submodule_search_locations or []):
        return "library"
    return None


def library_in(package: Path) -> Path | None:
    """Answer the compiled library in an engine's package; null: it brought none for this platform."""
    return next((file for file in sorted(package.glob(f"{PACKAGE}-*")) if file.suffix in _LIBRARIES), None)


def core_built_at(engine: Engine) -> datetime | None:
    """Answer of when the protocol in an engine is: its library names the revision of whatsmeow that it was built of."""
    spec = find_spec(PACKAGE) if engine.folder is None else None
    places = [engine.folder / PACKAGE] if engine.folder else map(Path, (spec and spec.submodule_search_locations) or [])
    for place in places:
        library = library_in(place)
        if library is not None and library.stat().st_size:
            with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
                found = _CORE.search(image)
                if found is not None:
                    return datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return None


def number(version: str) -> tuple[int, ...]:
    """Answer a version as something that can be compared; what follows its numbers doesn't count."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4])


def is_in_range(version: str) -> bool:
    """Say whether a version is one that may be raised to."""
    return re.fullmatch(r"\d+(\.\d+){1,3}", version) is not None and number(LEAST) <= number(version) < number(BELOW)
