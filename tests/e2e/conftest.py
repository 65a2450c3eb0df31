import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.server import Server
from tests.store.server import Server as Postgres
from tests.store.server import programs, running
from tests.transports.web.bedside import Bedside, bedside

from guvercin.config import TEST_ENVIRONMENT


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A data folder that nobody has used, and no process yet."""
    with Server(tmp_path / "veri") as server:
        yield server


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bedside]:
    """Lend a WhatsApp on this machine."""
    with bedside(tmp_path_factory.mktemp("bed")) as side:
        yield side


@pytest.fixture
def phones(side: Bedside, tmp_path: Path) -> Iterator[Server]:
    """Lend a server whose linked phones live there."""
    files = tmp_path / "dosyalar"
    files.mkdir()
    (files / "FTR-001.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    with Server(tmp_path / "veri", **played_by(side, tmp_path), GUVERCIN_FILE_ROOTS=str(files)) as server:
        yield server


def played_by(side: Bedside, folder: Path) -> dict[str, str]:
    """Answer the setting by which a server's linked phones live in a WhatsApp of ours, and may keep no rules."""
    stage = folder / "whatsapp"
    stage.mkdir()
    (stage / TEST_ENVIRONMENT).write_text(json.dumps(dict(side.bed.environment)), "utf-8")
    return {"GUVERCIN_WHATSAPP_TEST_SERVER": str(stage)}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """Lend a PostgreSQL that may be stopped."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running() as started:
        yield started
