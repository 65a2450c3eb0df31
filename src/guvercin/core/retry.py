"""When to try again: one schedule for everything that is worth a second try."""

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
"""The waits after the first, second … attempt. Jitter of a fifth either way keeps crowds from marching in step."""

JITTER = 0.2


def retry_at(attempt: int, now: datetime, rng: Random) -> datetime | None:
    """Answer when to try again after `attempt` (1 = the first) was pushed back, or None: give up.

    Raises ValueError below 1: what was never tried has nothing to give up.
    """
    if attempt < 1:
        raise ValueError("attempts count from 1")
    if attempt > len(SCHEDULE):
        return None
    return now + SCHEDULE[attempt - 1] * rng.uniform(1 - JITTER, 1 + JITTER)
