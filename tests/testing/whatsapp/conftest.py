"""Beds for the tests: one for a file of tests, with the engine running in it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.testing.whatsapp.driving import Engine

from guvercin.gateway.clock import SystemClock
from guvercin.testing.whatsapp.bed import Bed

IN_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: linking writes 812 keys, and the engine waits for the disk after each."""
    if not IN_MEMORY.is_dir():
        yield tmp_path_factory.mktemp("whatsapp")
        return
    made = Path(tempfile.mkdtemp(prefix="guvercin-", dir=IN_MEMORY))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
async def bed(folder: Path) -> AsyncIterator[Bed]:
    bed = Bed(folder, SystemClock())
    await bed.start()
    yield bed
    await bed.stop()


@pytest.fixture(scope="module")
async def engine(bed: Bed) -> AsyncIterator[Engine]:
    engine = Engine(bed)
    await engine.start()
    yield engine
    await engine.kill()
