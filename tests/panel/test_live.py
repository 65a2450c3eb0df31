"""Streams: the whole page at once, then only what changed, drawn once for all who look, and no longer than wanted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.house import House, World, make_world

from guvercin.core.event import Event
from guvercin.panel.live import LEAST, PING, Live, View

pytestmark = pytest.mark.anyio


class Page:
    """A view that counts how often it is drawn."""

    def __init__(self, key: str = "a") -> None:
        self.text = "<p>bir</p>"
        self.drawn = 0
        self.view = View(key=key, draw=self._draw, concerns=self._concerns, every=1e6)

    async def _draw(self) -> str:
        self.drawn += 1
        return self.text

    def _concerns(self, event: Event) -> bool:
        return event.message_id is not None


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> World:
    return make_world(tmp_path / "data", empty_database)


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    house = await world.begin()
    yield house
    await house.close()


@pytest.fixture
def live(world: World, house: House) -> Live:
    return Live(house.gateway, world.clock)


class Browser:
    """Somebody who looks."""

    def __init__(self, world: World, stream: AsyncIterator[bytes]) -> None:
        self.heard: list[bytes] = []
        self._world = world
        self._task = asyncio.ensure_future(self._listen(stream))

    async def _listen(self, stream: Any) -> None:
        async for each in stream:
            self.heard.append(each)

    def has_ended(self) -> bool:
        return self._task.done()

    @property
    def shown(self) -> list[str]:
        return [each.decode().removeprefix("data: ").strip() for each in self.heard if each.startswith(b"data:")]

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def always() -> bool:
    return True


async def pass_time(world: World, seconds: float) -> None:
    await world.clock.elapse(timedelta(seconds=seconds))


async def test_whoever_comes_sees_everything_and_then_what_changes(world: World, house: House, live: Live) -> None:
    house.store.listen(live.heard)
    page = Page()
    first = Browser(world, live.stream(page.view, always))
    await pass_time(world, 0.1)
    assert first.heard[0] == b"retry: 1000\n\n"
    assert first.shown == ['<hx-partial hx-target="#canli" hx-swap="innerMorph"><p>bir</p></hx-partial>']
    page.text = "<p>iki</p>\n<p>üç</p>"
    await house.accept()
    await pass_time(world, 2)
    assert len(first.shown) == 2
    assert first.heard[-1].count(b"data: ") == 2
    late = Browser(world, live.stream(page.view, always))
    await pass_time(world, 0.1)
    assert [text.replace("\ndata: ", "\n") for text in late.shown] == [first.shown[1].replace("\ndata: ", "\n")], (
        "a newcomer gets the whole state, not the difference"
    )
    await first.leave()
    await late.leave()


async def test_a_page_is_drawn_once_for_all_and_at_most_once_a_second(world: World, house: House, live: Live) -> None:
    house.store.listen(live.heard)
    page = Page()
    crowd = [Browser(world, live.stream(page.view, always)) for _ in range(20)]
    await pass_time(world, 0.1)
    assert page.drawn == 1
    for number in range(50):
        page.text = f"<p>{number}</p>"
        await house.accept(text=f"Mesaj {number}")
        await pass_time(world, 0.1)
    await pass_time(world, LEAST + 1)
    assert page.drawn <= 5 / LEAST + 4
    assert {browser.shown[-1] for browser in crowd} == {crowd[0].shown[-1]}
    assert "49" in crowd[0].shown[-1]
    for browser in crowd:
        await browser.leave()


async def test_without_a_bell_the_table_is_asked_all_the_same(world: World, house: House, live: Live) -> None:
    page = Page()
    browser = Browser(world, live.stream(page.view, always))
    await pass_time(world, 0.1)
    page.text = "<p>iki</p>"
    await house.accept()
    await pass_time(world, 3)
    assert "iki" in browser.shown[-1]
    await browser.leave()


async def test_a_stream_ends_with_its_session_and_with_the_house(world: World, live: Live) -> None:
    is_welcome = True

    async def asked() -> bool:
        return is_welcome

    guest, other = (Browser(world, live.stream(Page().view, each)) for each in (asked, always))
    await pass_time(world, 0.1)
    is_welcome = False
    await pass_time(world, PING + 1)
    assert guest.has_ended()
    assert not other.has_ended()
    live.close()
    await pass_time(world, 0.1)
    assert other.has_ended()
    late = Browser(world, live.stream(Page().view, always))
    await pass_time(world, 0.1)
    assert late.has_ended()


async def test_nobody_looks_and_nothing_runs(world: World, live: Live) -> None:
    browser = Browser(world, live.stream(Page().view, always))
    await pass_time(world, 0.1)
    await browser.leave()
    await pass_time(world, 1)
    assert (live._channels, live._reader) == ({}, None)


async def test_a_page_that_can_not_be_drawn_ends_its_stream(world: World, live: Live) -> None:
    async def broken() -> str:
        raise RuntimeError

    view = View(key="x", draw=broken, concerns=lambda _: True)
    browser = Browser(world, live.stream(view, always))
    await pass_time(world, 0.2)
    assert browser.shown == []
    await browser.leave()
