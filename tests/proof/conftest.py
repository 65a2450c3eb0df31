from pathlib import Path

import pytest
from tests.cli.running import Guvercin


@pytest.fixture
def guvercin(tmp_path: Path) -> Guvercin:
    return Guvercin(tmp_path / "veri")
