"""What stands there before any message: the start, the idle process, the installed files."""

import asyncio
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, mega, middle
from bench.server import CLOCK, ROOT, served

_STARTS = 5
_SETTLES = 3.0
"""Seconds after which a server that was just started is idle."""


async def start() -> list[Figure]:
    """Start on a folder that is in use, count until the first good /hazir, then look at the idle process."""
    found = []
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder:
        for _ in range(_STARTS):
            async with served(folder=Path(folder)) as server:
                cpu = server.cpu()
                await CLOCK.sleep_until(CLOCK.monotonic() + _SETTLES)
                settled = server.cpu()
                await CLOCK.sleep_until(CLOCK.monotonic() + _SETTLES)
                found.append((server.ready_after, cpu, (server.cpu() - settled) / _SETTLES, server.rss()))
    waits, cpus, idles, sizes = zip(*found, strict=True)
    return [
        Figure(
            name="start to ready", value=f"{middle(waits):.2f} s  [{min(waits):.2f}–{max(waits):.2f}]", wanted="≤ 1.5 s"
        ),
        Figure(name="of it CPU", value=f"{middle(cpus):.2f} s"),
        Figure(name="idle, memory (RSS)", value=mega(middle(sizes)), wanted="≤ 80 MB"),
        Figure(name="idle, CPU", value=f"{middle(idles):.1%} of a core"),
    ]


async def install() -> list[Figure]:
    """Fill an environment with requirements.txt and our wheel and nothing else, and weigh it. Takes a minute."""
    with tempfile.TemporaryDirectory(prefix="guvercin-bench-") as folder:
        home = Path(folder)
        await _run(sys.executable, "-m", "venv", str(home / "venv"))
        python = str(home / "venv" / "bin" / "python")
        bare = _size(home / "venv")
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        await _run(*pip, "--require-hashes", "-r", str(ROOT / "requirements.txt"))
        wheel = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps")
        await _run(*wheel, "--no-build-isolation", "--wheel-dir", folder, str(ROOT))
        await _run(*pip, "--no-deps", *_wheels(home))
        whole = _size(home / "venv")
    return [
        Figure(name="the environment on disk", value=mega(whole), wanted="≤ 150 MB"),
        Figure(name="of it pip and the empty environment", value=mega(bare)),
    ]


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise RuntimeError(f"{command[:3]} failed")


def _wheels(folder: Path) -> list[str]:
    return [str(wheel) for wheel in folder.glob("*.whl")]


def _size(folder: Path) -> int:
    """Answer the bytes that a folder takes on the disk, in whole blocks, as `du` counts them."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
