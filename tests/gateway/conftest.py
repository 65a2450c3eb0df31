"""An empty database to copy, a world on it, and a process that is connected."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateway.house import House, World, make_world
from tests.gateway.pacing import MONDAY, Sent, begin

from guvercin.store.schema import prepare
from guvercin.store.sqlite import FILE_NAME, engine_for


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the schema once: a migration costs more than most tests."""
    path = tmp_path_factory.mktemp("template") / FILE_NAME
    prepare(engine_for(path, create=True))
    return path


@pytest.fixture
def world(tmp_path: Path, template: Path) -> World:
    return make_world(tmp_path / "data", template)


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    """A process without gaps, its line connected."""
    house = await world.begin()
    await house.tend()
    yield house
    await house.close()


@pytest.fixture
def sent(world: World) -> Sent:
    world.clock.jump_wall(MONDAY - world.clock.now())
    return Sent(world)


@pytest.fixture
async def shop(world: World, sent: Sent) -> AsyncIterator[House]:  # noqa: ARG001 -- it notes from the beginning
    house = await begin(world)
    yield house
    await house.close()
