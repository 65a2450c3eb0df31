"""Beds for the tests: one for a file of tests, with the engine running in it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.testing.whatsapp.driving import Engine, why_there_is_no_engine

from guvercin.gateway.clock import SystemClock

if TYPE_CHECKING:  # without the engine's message types they can't be loaded
    from guvercin.testing.whatsapp.bed import Bed

IN_MEMORY = Path("/dev/shm")

if why_there_is_no_engine():
    collect_ignore = [
        "test_faults.py",
        "test_linking.py",
        "test_messages.py",
        "test_protocol.py",
    ]  # test_engine.py says it


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
async def bed(folder: Path) -> AsyncIterator["Bed"]:
    from guvercin.testing.whatsapp.bed import Bed

    bed = Bed(folder, SystemClock())
    await bed.start()
    yield bed
    await bed.stop()


@pytest.fixture(scope="module")
async def engine(bed: "Bed") -> AsyncIterator[Engine]:
    engine = Engine(bed)
    await engine.start()
    yield engine
    await engine.kill()
