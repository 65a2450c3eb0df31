"""`python -m bench [name …]`: run benchmarks, all of them if none is named."""

import argparse
import asyncio
import inspect
from collections.abc import Awaitable, Callable

import uvloop

from bench import claiming, overload, reading, sending, starting
from bench.figures import Figure, show

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "accept": sending.accept,
    "cycle": sending.cycle,
    "routes": sending.routes,
    "read": reading.read,
    "overload": overload.overload,
    "claim": claiming.claim,
    "start": starting.start,
    "install": starting.install,
}


async def run(names: list[str]) -> None:
    """Run benchmarks one after the other and print each as it ends."""
    for name in names:
        measure = BENCHMARKS[name]
        print(f"{name}: {inspect.getdoc(measure)}")
        show(await measure())


parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="name", help=", ".join(BENCHMARKS))
asked = parser.parse_args()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(run(asked.names or list(BENCHMARKS)))
