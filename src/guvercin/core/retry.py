"""When to try again: one way for everything that is worth a second try, and a schedule for each kind of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the type alone: chance itself comes in as an argument

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""Sends and redials: the waits after the first, second … attempt."""

DELIVERIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Webhooks: the waits that Standard Webhooks advises, three days in all."""

JITTER = 0.2
"""A fifth either way keeps crowds from marching in step."""


def retry_at(attempt: int, now: datetime, rng: Random, schedule: Sequence[timedelta] = SCHEDULE) -> datetime | None:
    """Answer when to try again after `attempt` (1 = the first) was pushed back, or None: give up.

    Raises ValueError below 1: what was never tried has nothing to give up.
    """
    if attempt < 1:
        raise ValueError("attempts count from 1")
    if attempt > len(schedule):
        return None
    return now + schedule[attempt - 1] * rng.uniform(1 - JITTER, 1 + JITTER)
