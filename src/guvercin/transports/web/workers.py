"""The worker processes of all linked phones, and who sits where.

One account a worker keeps them apart: whatever the engine does to one, another never notices. Several in one save
memory, and fall and rise together: a worker that crashes, hangs or must be killed takes all of its accounts with it,
and each is dialled anew. A phone is linked in a worker of its own in any case: an engine that waits for a phone can't
be stopped but by killing it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guvercin.transports.web.child import COMMAND, Child, Seat


@dataclass(slots=True, eq=False)
class _Bench:
    """A worker that runs or is starting, and the accounts that have a seat in it."""

    starting: asyncio.Task[Child]
    seats: int
    names: set[str] = field(default_factory=set)


class Workers:
    """The workers on one folder of accounts. `environment` tells what a worker that starts now runs in, whole."""

    def __init__(
        self,
        root: Path,
        *,
        environment: Callable[[], Mapping[str, str]],
        accounts_per_worker: int = 1,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._root = root
        self._environment = environment
        self._most = accounts_per_worker
        self._command = command
        self._benches: list[_Bench] = []

    async def take_seat(self, name: str, *, alone: bool) -> Seat:
        """Answer a seat for the account of this name, in a worker with room or a new one. ChildGoneError, OSError."""
        room = (bench for bench in self._benches if len(bench.names) < bench.seats and _runs(bench))
        bench = None if alone else next(room, None)
        if bench is None:
            start = Child.start(self._root, environment=self._environment(), command=self._command)
            bench = _Bench(asyncio.create_task(start), 1 if alone else self._most)
            self._benches.append(bench)
        bench.names.add(name)
        try:
            return (await asyncio.shield(bench.starting)).seat(name)
        except BaseException:
            await self._rise(bench, name)
            raise

    async def give_up(self, seat: Seat) -> None:
        """Free a seat, its connection closed. Who leaves a worker last ends it. It takes 4.5 s at the most."""
        bench = next(bench for bench in self._benches if bench.starting.done() and _child(bench) is seat.child)
        if bench.names == {seat.name}:
            self._benches.remove(bench)  # nobody sits down where the light is being put out
            await seat.child.stop()
            return
        try:
            await seat.leave()
        finally:
            bench.names.discard(seat.name)
            if not bench.names and bench in self._benches:
                self._benches.remove(bench)
                await seat.child.stop()

    async def _rise(self, bench: _Bench, name: str) -> None:
        """Take back a seat that nobody came to sit on."""
        bench.names.discard(name)
        if bench.names:
            return
        if bench in self._benches:
            self._benches.remove(bench)
        bench.starting.cancel()
        started = (await asyncio.gather(bench.starting, return_exceptions=True))[0]
        if isinstance(started, Child):
            await started.stop()


def _runs(bench: _Bench) -> bool:
    return not bench.starting.done() or (_child(bench) is not None and not bench.starting.result().gone.is_set())


def _child(bench: _Bench) -> Child | None:
    """Answer the worker of a bench that has been started; null: it could not be."""
    starting = bench.starting
    return None if starting.cancelled() or starting.exception() is not None else starting.result()
