"""What every test shares: the event loop, and how many rounds a property is tried.

`make test` plays the same rounds every time (derandomised, a tenth of the full number), so that a red run is red again
when it is repeated. `make long` (GUVERCIN_ROUNDS=full) plays ten times as many, at random, of those files that have
more rounds there, and nothing else; a failure prints the `@reproduce_failure` line that replays it.
"""

import gc
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

from guvercin import __version__

RELIABILITY = Path(__file__).resolve().parent.parent / "docs" / "RELIABILITY.md"
IS_LONG = os.environ.get("GUVERCIN_ROUNDS") == "full"

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 1024**3
"""Bytes of memory that the tests' files may fill before whoever runs them would rather have them on a disk."""

if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH:
    # No test here cuts a real disk's power: what a sync costs only makes them wait. TMPDIR=/var/tmp shows them a disk.
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None

TENTH = settings(
    max_examples=100,
    derandomize=True,
    print_blob=True,
    deadline=None,  # shared cores: slow is not wrong
    suppress_health_check=[HealthCheck.too_slow],  # as deadline
)
settings.register_profile("tenth", TENTH)
settings.register_profile("full", TENTH, max_examples=1000, derandomize=False)
settings.load_profile("full" if IS_LONG else "tenth")


SLOW_ROOMS = ("e2e", "panel", "simulation", "proof", "store", "transports", "cli", "contracts", "testing")
"""Rooms whose files take a minute and more, the longest first: begun last, one of them would hold up the end of all."""

WAITING_ROOMS = frozenset({"e2e", "panel", "transports", "cli", "contracts", "testing"})
"""Rooms whose tests mostly wait: for real clocks, processes and pages."""


def has_more_rounds(item: pytest.Item) -> bool:
    """Say whether a test's file plays more in `make long`: the others would only be what `make test` has shown."""
    assert isinstance(item, pytest.Function)
    return not {"rounds", "IS_LONG", "given"}.isdisjoint({*vars(item.module), *item.function.__globals__})


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Put the slow rooms first, each in its own order; in `make test`, files that wait between files that compute.

    Four share two cores there: from the first minute to the last, some should wait while others compute.
    """
    tests = Path(__file__).parent
    if IS_LONG:
        config.hook.pytest_deselected(items=[item for item in items if not has_more_rounds(item)])
        items[:] = [item for item in items if has_more_rounds(item)]

    def room(path: Path) -> str:
        return path.relative_to(tests).parts[0]

    items.sort(key=lambda item: SLOW_ROOMS.index(at) if (at := room(item.path)) in SLOW_ROOMS else len(SLOW_ROOMS))
    if not IS_LONG:
        files = list(dict.fromkeys(item.path for item in items))
        waiting = [file for file in files if room(file) in WAITING_ROOMS]
        computing = [file for file in files if room(file) not in WAITING_ROOMS]
        place = {file: (rank + 0.5) / len(kind) for kind in (waiting, computing) for rank, file in enumerate(kind)}
        items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never in what collecting six thousand tests has made: it all stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every async test on asyncio, the only loop that we promise."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _logs_end_with_the_test() -> Iterator[None]:
    """Whoever runs a command in this process sets the log's level and form for everybody."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    handlers, level, of_uvicorn = root.handlers[:], root.level, uvicorn.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    uvicorn.setLevel(of_uvicorn)


class Figures(Protocol):
    """Keeps what a long test has counted and measured, for the end of the run and for docs/RELIABILITY.md."""

    def __call__(self, **counted: float) -> None: ...


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    def keep(**counted: float) -> None:
        record_property("figures", counted)

    return keep


class Tell(Protocol):
    """Says something at the end of the run, of a test that passed."""

    def __call__(self, what: str) -> None: ...


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    def say(what: str) -> None:
        record_property("told", what)

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the tests that passed tell, and their figures; `make long` appends those to docs/RELIABILITY.md."""
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(told))
    lines = [
        f"- `{report.nodeid.partition('::')[2]}`: "
        + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in dict(counted).items())
        for report in terminalreporter.getreports("passed")
        for name, counted in report.user_properties
        if name == "figures"
    ]
    if not lines:
        return
    terminalreporter.write_sep("-", "figures")
    for line in lines:
        terminalreporter.write_line(line)
    if IS_LONG:
        now = datetime.now(UTC)  # noqa: TID251 -- the hour of the run itself
        where = f"Python {platform.python_version()}, {os.cpu_count()} cores"
        with RELIABILITY.open("a", encoding="utf-8") as page:
            page.write("\n".join(["", f"### {now:%Y-%m-%d %H:%M} UTC, {__version__}, {where}", "", *lines, ""]))
