"""An empty database to copy."""

from pathlib import Path

import pytest

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the schema once: a migration costs more than a day."""
    path = tmp_path_factory.mktemp("days") / FILE_NAME
    prepare(engine_for(path, create=True))
    return path
