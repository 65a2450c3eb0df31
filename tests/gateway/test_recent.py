"""What every request asks is asked once for all of them, and believed for no longer than it may be."""

import asyncio
from datetime import timedelta

import pytest

from guvercin.gateway.recent import Recent
from guvercin.testing.clock import ManualClock


class Oracle:
    """Answers each question with how often it was asked anything, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.trouble: Exception | None = None

    async def ask(self, question: str) -> str:
        self.asked += 1
        answer = f"{question} {self.asked}"
        await self.speaks.wait()
        if self.trouble is not None:
            raise self.trouble
        return answer


async def test_an_answer_is_believed_for_its_time_from_the_question_on() -> None:
    oracle, clock = Oracle(), ManualClock()
    recent = Recent(oracle.ask, clock=clock, fresh=1.0, most=8)
    assert [await recent.get("a"), await recent.get("a"), await recent.get("b")] == ["a 1", "a 1", "b 2"]
    clock.advance(timedelta(seconds=0.9))
    assert await recent.get("a") == "a 1"
    clock.advance(timedelta(seconds=0.2))
    assert await recent.get("a") == "a 3"


async def test_a_crowd_costs_one_question_and_one_that_leaves_spoils_nothing() -> None:
    oracle = Oracle()
    oracle.speaks.clear()
    recent = Recent(oracle.ask, clock=ManualClock(), fresh=1.0, most=8)
    first, *others = [asyncio.ensure_future(recent.get("a")) for _ in range(5)]
    await asyncio.wait([first], timeout=0)
    first.cancel()
    oracle.speaks.set()
    assert await asyncio.gather(*others) == ["a 1"] * 4
    assert oracle.asked == 1


async def test_nobody_gets_an_answer_from_before_it_was_forgotten() -> None:
    oracle = Oracle()
    oracle.speaks.clear()
    recent = Recent(oracle.ask, clock=ManualClock(), fresh=1.0, most=8)
    before = asyncio.ensure_future(recent.get("a"))
    await asyncio.wait([before], timeout=0)
    recent.forget("a")
    after = asyncio.ensure_future(recent.get("a"))
    await asyncio.wait([after], timeout=0)
    oracle.speaks.set()
    assert [await before, await after, await recent.get("a")] == ["a 1", "a 2", "a 2"]


async def test_trouble_is_told_and_not_remembered() -> None:
    oracle = Oracle()
    oracle.trouble = OSError("no disk")
    recent = Recent(oracle.ask, clock=ManualClock(), fresh=1.0, most=8)
    with pytest.raises(OSError, match="no disk"):
        await recent.get("a")
    oracle.trouble = None
    assert await recent.get("a") == "a 2"


async def test_it_holds_no_more_than_it_may_and_drops_the_oldest() -> None:
    oracle = Oracle()
    recent = Recent(oracle.ask, clock=ManualClock(), fresh=1.0, most=2)
    for question in ("a", "b", "c"):
        await recent.get(question)
    assert len(recent) == 2
    assert [await recent.get("b"), await recent.get("a")] == ["b 2", "a 4"]
