"""The only endless loop: it steps something, waits until that wants to be stepped again, and survives its mistakes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.clock import Clock

AFTER_TROUBLE = timedelta(seconds=1)
"""How long a step that raised is left alone."""

_log = logging.getLogger(__name__)

WEATHER = frozenset({Code.STORE_UNAVAILABLE, Code.QUEUE_FULL, Code.CLOSING})
"""Trouble that passes by itself and that whoever met it first has told of."""


async def keep(
    name: str, step: Callable[[datetime], Awaitable[datetime]], *, clock: Clock, bell: asyncio.Event
) -> None:
    """Step until cancelled. `step(now)` answers when it wants to run next; the bell runs it earlier.

    The wait is measured from `now` on the monotonic clock: a wall clock that jumps neither shortens nor stretches it.
    """
    while True:
        bell.clear()
        now, started = clock.now(), clock.monotonic()
        try:
            wake = await step(now)
        except GuvercinError as trouble:
            if trouble.code not in WEATHER:
                _log.exception("loop_step_failed", extra={"loop": name})
            wake = now + AFTER_TROUBLE
        except Exception:  # noqa: BLE001 -- logged, and taken for what it must mean
            _log.exception("loop_step_failed", extra={"loop": name})
            wake = now + AFTER_TROUBLE
        await clock.wait(started + (wake - now).total_seconds(), bell)
