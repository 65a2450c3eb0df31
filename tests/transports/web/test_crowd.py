"""Many phones on one machine: linked at once, sending at once, with their receipts, and what each of them costs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import pytest
from tests.conftest import Figures
from tests.rounds import rounds
from tests.transports.web.bedside import Bedside, Linked, until

from guvercin.core.outcome import Accepted
from guvercin.transports.web.run import Limits

pytestmark = pytest.mark.xdist_group("whatsapp")

MESSAGES = 50
MOST_MEMORY = 60 * 1024 * 1024


async def test_many_accounts_link_send_and_hear_at_once(
    side: Bedside, link: Callable[..., Linked], figures: Figures
) -> None:
    lines = [link(limits=Limits()) for _ in range(rounds(3, 20))]
    await asyncio.gather(*(line.pair() for line in lines))
    took = await all_send(side, lines)
    memory = [own_memory(line.pid) for line in lines]
    assert len({line.pid for line in lines}) == len(lines)
    assert max(memory) <= MOST_MEMORY
    figures(
        accounts=len(lines),
        messages=len(took),
        uss_mb_median=round(median(memory) / 2**20, 1),
        uss_mb_most=round(max(memory) / 2**20, 1),
        ms_median=round(median(took) * 1000, 1),
        ms_p95=round(quantiles(took, n=20)[-1] * 1000, 1),
    )


async def test_ten_accounts_in_one_worker(side: Bedside, link: Callable[..., Linked], figures: Figures) -> None:
    workers = side.made_for(accounts_per_worker=10)
    lines = [link(workers=workers, limits=Limits()) for _ in range(rounds(3, 10))]
    await asyncio.gather(*(line.pair() for line in lines))
    for line in lines:
        await line.dial()
    await asyncio.gather(*(line.opened() for line in lines))
    took = await all_send(side, lines)
    (pid,) = {line.pid for line in lines}
    memory = own_memory(pid)
    assert memory / len(lines) <= MOST_MEMORY
    figures(
        accounts=len(lines),
        messages=len(took),
        uss_mb_of_all=round(memory / 2**20, 1),
        uss_mb_each=round(memory / len(lines) / 2**20, 1),
        ms_median=round(median(took) * 1000, 1),
        ms_p95=round(quantiles(took, n=20)[-1] * 1000, 1),
    )


async def all_send(side: Bedside, lines: list[Linked]) -> list[float]:
    """Let every line send to the same people at once, hear every receipt, and answer how long each send took."""
    people = [side.person() for _ in range(MESSAGES)]
    took: list[float] = []

    async def send_all(line: Linked) -> list[str]:
        ids = []
        for person in people:
            began = side.clock.monotonic()
            answer = await line.web.send(line.message(person))
            took.append(side.clock.monotonic() - began)
            assert isinstance(answer, Accepted), answer
            ids.append(answer.remote_id)
        return ids

    sent = await asyncio.gather(*(send_all(line) for line in lines))
    for line, ids in zip(lines, sent, strict=True):
        assert [one.id for one in line.arrivals()] == ids
        await until(
            lambda line=line, ids=ids: all(line.receipts(each) >= {"delivered", "read"} for each in ids),  # type: ignore[misc] # bound
            within=60,
        )
    return took


def own_memory(pid: int) -> int:
    """Answer the bytes that a process shares with no other (USS)."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in told if line.startswith("Private_"))


async def test_on_an_open_lane_whatsapp_acknowledges_within_300_ms(
    side: Bedside, line: Linked, figures: Figures
) -> None:
    """To people who have had a message before: the first one asks for their keys."""
    people = [side.person() for _ in range(10)]
    for person in people:
        assert isinstance(await line.web.send(line.message(person)), Accepted)
    took: list[float] = []
    for number in range(rounds(40, 400)):
        began = side.clock.monotonic()
        assert isinstance(await line.web.send(line.message(people[number % len(people)])), Accepted)
        took.append(side.clock.monotonic() - began)
    p95 = quantiles(took, n=20)[-1]
    assert p95 <= 0.3
    figures(messages=len(took), ms_median=round(median(took) * 1000, 1), ms_p95=round(p95 * 1000, 1))
