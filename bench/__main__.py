"""`python -m bench [name …]`: run benchmarks, all of them if none is named."""

import argparse
import asyncio
import inspect
from collections.abc import Awaitable, Callable

import uvloop

from bench import (
    claiming,
    cloud,
    crowding,
    databases,
    hooks,
    linked,
    nodes,
    overload,
    pacing,
    pages,
    primary,
    reading,
    scale,
    sending,
    soaking,
    starting,
)
from bench.figures import Figure, show

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "accept": sending.accept,
    "cycle": sending.cycle,
    "read": reading.read,
    "overload": overload.overload,
    "crowd": crowding.crowd,
    "claim": claiming.claim,
    "paced": pacing.paced,
    "cloud": cloud.cloud,
    "statuses": cloud.statuses,
    "linked": linked.linked,
    "visit": pages.visit,
    "looking": pages.looking,
    "hooks": hooks.hooks,
    "start": starting.start,
    "install": starting.install,
}


LONG: dict[str, tuple[Callable[..., Awaitable[list[Figure]]], tuple[str, ...]]] = {
    "pages": (pages.pages, ("rows",)),
    "scale": (scale.scale, ("rows",)),
    "primary": (primary.primary, ("rows",)),
    "grown": (cloud.grown, ("rows",)),
    "databases": (databases.databases, ()),
    "nodes": (nodes.nodes, ()),
    "soak": (soaking.soak, ("minutes", "rate")),
    "cloudsoak": (cloud.soak, ("minutes", "rate")),
}
"""Run only when they are named: they take minutes, gigabytes or a PostgreSQL. Each with its options."""


async def run(asked: argparse.Namespace) -> None:
    """Run benchmarks one after the other and print each as it ends."""
    for name in asked.names or list(BENCHMARKS):
        measure, options = LONG[name] if name in LONG else (BENCHMARKS[name], ())
        print(f"{name}: {inspect.getdoc(measure)}")
        show(await measure(*(getattr(asked, option) for option in options)))


parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
names = [*BENCHMARKS, *LONG]
parser.add_argument("names", nargs="*", choices=[*names, []], metavar="name", help=", ".join(names))
parser.add_argument(
    "--rows", type=int, default=1_000_000, help="scale, pages, grown: messages in the log; a million take 0.8 GB"
)
parser.add_argument("--minutes", type=int, default=30, help="soak, cloudsoak: how long")
parser.add_argument("--rate", type=int, default=50, help="soak, cloudsoak: messages a second")
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(run(parser.parse_args()))
