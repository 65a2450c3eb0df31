"""SQLite against the plain model, chosen by seeds and by Hypothesis.

A seed that fails is replayed by the name of its test; Hypothesis prints the line that replays its finding.
"""

import asyncio
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.desk import Desk
from tests.contracts.store_machine import History
from tests.rounds import rounds

from guvercin.store.sqlite import FILE_NAME
from guvercin.store.sqlite_store import SqliteStore

STEPS = 150


@pytest.mark.parametrize("seed", range(rounds(30, 300)))
async def test_a_long_history_ends_as_the_model_says(desk: Desk, seed: int) -> None:
    rng = Random(seed)
    history = History(desk)
    for _ in range(STEPS):
        await history.step(rng.choice)


@settings(
    max_examples=rounds(15, 150),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a store for each example
)
@given(data=st.data(), steps=st.integers(1, 50))
def test_a_short_history_ends_as_the_model_says(
    tmp_path: Path, empty_database: bytes, data: st.DataObject, steps: int
) -> None:
    async def play() -> None:
        folder = Path(mkdtemp(dir=tmp_path))
        (folder / FILE_NAME).write_bytes(empty_database)
        store = SqliteStore(folder)
        await store.open()
        try:
            history = History(await Desk(store).furnish())
            for _ in range(steps):
                await history.step(lambda options: data.draw(st.sampled_from(options)))
        finally:
            await store.close()

    asyncio.run(play())
