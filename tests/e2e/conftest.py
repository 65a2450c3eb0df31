from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.server import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A data folder that nobody has used, and no process yet."""
    with Server(tmp_path / "veri") as server:
        yield server
