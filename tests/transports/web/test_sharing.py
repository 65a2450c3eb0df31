"""Several accounts in one worker: each hears what is its own, one may go without the others, and a crash is for all."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.transports.web.bedside import SHORT, Bedside, Linked, until

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Accepted, Inbound
from guvercin.testing.whatsapp.faults import Act, Fault, Point

pytestmark = pytest.mark.xdist_group("whatsapp")


@pytest.fixture
async def three(side: Bedside, link: Callable[..., Linked]) -> list[Linked]:
    """Link three phones, each in a worker of its own, then dial all of them in one."""
    workers = side.made_for(accounts_per_worker=3)
    lines = [link(workers=workers, limits=replace(SHORT, grace=6.0)) for _ in range(3)]
    await asyncio.gather(*(line.pair() for line in lines))
    assert len({line.pid for line in lines}) == 3
    for line in lines:
        await line.dial()
    await asyncio.gather(*(line.opened() for line in lines))
    assert len({line.pid for line in lines}) == 1
    return lines


async def works(side: Bedside, line: Linked) -> None:
    """Hold that a line sends, and hears its receipts and what is written to it, and nothing of another's."""
    to = side.person()
    answer = await line.web.send(line.message(to))
    assert isinstance(answer, Accepted), answer
    await until(lambda: line.receipts(answer.remote_id) >= {"delivered", "read"})
    text = f"selam {to.number}"
    await side.call(to.write(line.phone, text))
    await until(lambda: any(isinstance(event, Inbound) and event.text == text for event in line.told))


def heard(line: Linked) -> set[str]:
    return {event.text for event in line.told if isinstance(event, Inbound)}


async def test_each_account_hears_what_is_its_own(side: Bedside, three: list[Linked]) -> None:
    await asyncio.gather(*(works(side, line) for line in three))
    first, second, third = (heard(line) for line in three)
    assert not first & second
    assert not second & third
    assert not first & third


async def test_one_that_goes_leaves_the_others_where_they_are(side: Bedside, three: list[Linked]) -> None:
    first, second, third = three
    pid = second.pid
    await first.end()
    await works(side, second)
    await first.dial()
    await first.opened()
    assert first.pid == pid, "there is room where it sat before"
    assert first.device is not None
    await side.call(first.phone.unlink(first.device))
    assert (await first.farewell()).code is Code.REMOVED
    await asyncio.gather(works(side, second), works(side, third))
    assert (second.pid, third.pid) == (pid, pid)


async def test_an_event_that_poisons_one_leaves_the_others_their_hearing(side: Bedside, three: list[Linked]) -> None:
    first, second, _ = three
    to = side.person()
    side.server.faults.add(Fault(at=Point.MESSAGE, act=Act.RECEIPT, code="server-error", to=to.number))
    before = first.connection()
    await first.web.send(first.message(to))
    await works(side, second)
    await first.stumbled(before)
    await works(side, first)


async def test_a_crash_is_for_all_and_loses_nothing(side: Bedside, three: list[Linked]) -> None:
    os.kill(three[0].pid, signal.SIGKILL)
    farewells = await asyncio.gather(*(line.farewell() for line in three))
    assert {farewell.news for farewell in farewells} == {LineNews.DROPPED}
    for line in three:
        await line.dial()
    await asyncio.gather(*(line.opened() for line in three))
    assert len({line.pid for line in three}) == 1
    await asyncio.gather(*(works(side, line) for line in three))
