"""Beds for the tests: one for a file of tests, with the engine running in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.testing.whatsapp.driving import Engine, quick_folder, why_there_is_no_engine

from guvercin.gateway.clock import SystemClock
from guvercin.testing.whatsapp.plugin import whatsapp  # noqa: F401 -- a fixture is used by its name

if TYPE_CHECKING:  # without the engine's message types they can't be loaded
    from guvercin.testing.whatsapp.bed import Bed

if why_there_is_no_engine():  # test_engine.py says it
    collect_ignore_glob = ["test_[!e]*.py"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("whatsapp")) as quick:
        yield quick


@pytest.fixture(scope="module")
async def bed(folder: Path) -> AsyncIterator["Bed"]:
    from guvercin.testing.whatsapp.bed import running

    async with running(folder, SystemClock()) as bed:
        yield bed


@pytest.fixture(scope="module")
async def engine(bed: "Bed") -> AsyncIterator[Engine]:
    engine = Engine(bed)
    await engine.start()
    yield engine
    await engine.kill()
