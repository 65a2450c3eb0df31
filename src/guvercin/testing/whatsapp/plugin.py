"""A pytest fixture, `whatsapp`: a whole WhatsApp for one test, in a folder of its own.

Name it in a conftest.py: `pytest_plugins = ["guvercin.testing.whatsapp.plugin"]`, or import the fixture from here.
It is asynchronous: the tests run under anyio's plugin (or another one that runs such fixtures), in the same event
loop.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guvercin.gateway.clock import SystemClock

if TYPE_CHECKING:  # without the engine's message types it can't be loaded
    from guvercin.testing.whatsapp.bed import Bed


@pytest.fixture
async def whatsapp(tmp_path: Path) -> AsyncIterator["Bed"]:
    """Answer a bed that listens: `.server` to add phones and plan faults, `.environment` for a client's process."""
    from guvercin.testing.whatsapp.bed import running  # noqa: PLC0415 -- as above

    async with running(tmp_path / "whatsapp", SystemClock()) as bed:
        yield bed
