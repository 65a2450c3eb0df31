"""A test server for a file of tests, and lines of phones that are linked to it."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count

import pytest
from tests.transports.web.bedside import Bedside, Linked, bedside

_accounts = count(1)


@pytest.fixture(autouse=True)
def _last_words(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Print what a worker that crashed said last: a failed test shows it, and without it nobody knows why it failed."""
    yield
    for record in caplog.get_records("call"):
        if words := getattr(record, "last_words", None):
            sys.stdout.write(f"last words of a worker: {words}\n")


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bedside]:
    with bedside(tmp_path_factory.mktemp("web")) as side:
        yield side


@pytest.fixture
async def link(side: Bedside) -> AsyncIterator[Callable[..., "Linked"]]:
    """Make lines of phones that are yet to be linked; what is still running at the end is ended."""
    made: list[Linked] = []

    def make(**options: object) -> Linked:
        made.append(Linked(side, next(_accounts), **options))  # type: ignore[arg-type] # a test names them
        return made[-1]

    yield make
    for linked in made:
        await linked.end()
    side.server.faults.clear()
    side.server.is_away = False


@pytest.fixture
async def line(link: Callable[..., Linked]) -> Linked:
    """A phone that is linked, and whose line is open."""
    linked = link()
    await linked.pair()
    return linked
