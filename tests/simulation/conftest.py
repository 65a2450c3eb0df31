"""An empty database to begin each day with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.house import kept_open
from tests.simulation.test_days import DAY

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prepare the schema once: a migration costs more than a day. And let the days' database stay open."""
    path = tmp_path_factory.mktemp("days") / FILE_NAME
    prepare(engine_for(path, create=True))
    with kept_open(path.parent / DAY):
        yield path
