"""Whole virtual days from a seed: whatever happens on them, the promises hold."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.rounds import rounds
from tests.simulation.day import Day, Stage
from tests.simulation.plans import draw
from tests.simulation.playing import play

SEEDS, CHUNK = rounds(200, 20_000), rounds(25, 100)
DAY = "day"
"""The folder of every day, beside the template."""

REPLAY = "replay: GUVERCIN_DAY={} python -m pytest tests/simulation/test_days.py -k test_one_day"


class _Ear(logging.Handler):
    """Hears of what must never happen, whatever the day is like."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg in {"loop_step_failed", "write_failed"}:
            self.heard.append(self.format(record))


@contextmanager
def _stumbles() -> Iterator[list[str]]:
    ear, log = _Ear(), logging.getLogger("guvercin")
    propagates, log.propagate = log.propagate, False
    log.addHandler(ear)
    try:
        yield ear.heard
    finally:
        log.removeHandler(ear)
        log.propagate = propagates


def one_day(seed: int, template: Path, stage: Stage | None = None) -> Day:
    folder = template.parent / DAY  # one after the other in one place: engines and what they have compiled are kept
    try:
        with _stumbles() as stumbles:
            day = play(seed, draw, folder, template, stage)
        assert not stumbles, stumbles[0]
    except BaseException as broken:
        broken.add_note(REPLAY.format(seed))
        raise
    return day


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_whatever_happens_on_a_day_the_promises_hold(template: Path, first: int) -> None:
    for seed in range(first, first + CHUNK):
        one_day(seed, template)


def test_one_day_is_the_same_each_time_it_is_played(template: Path) -> None:
    seed = int(os.environ.get("GUVERCIN_DAY", "7"))
    day = one_day(seed, template)
    sys.stdout.write(f"digest {day.digest}\n")
    assert one_day(seed, template).digest == day.digest


def test_another_process_plays_the_same_day(template: Path) -> None:
    """No order of a set and no address in memory decides anything."""
    played = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", __file__, "-k", "test_one_day"],
        env=os.environ | {"PYTHONHASHSEED": "5", "GUVERCIN_DAY": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"digest {one_day(3, template).digest}" in played.stdout, played.stdout
