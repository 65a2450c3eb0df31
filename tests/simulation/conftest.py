"""An empty database to copy, in memory where the machine lets us: nobody cuts the power here."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for

_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """Prepare the schema once: a migration costs more than a day."""
    folder = Path(tempfile.mkdtemp(prefix="guvercin-days", dir=_MEMORY if _MEMORY.is_dir() else None))
    path = folder / FILE_NAME
    prepare(engine_for(path, create=True))
    yield path
    shutil.rmtree(folder)
