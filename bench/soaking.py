"""What a day leaves behind: the real server under a steady load, and whether its memory stays where it is."""

from collections.abc import Iterator
from itertools import count, islice

from bench.figures import Figure, mega, milli, share
from bench.load import drive, request
from bench.sending import sends
from bench.server import API, CLOCK, Server, served
from guvercin.store.sqlite import FILE_NAME

_WARM = 5
"""Minutes after which what a server fills once is filled: caches, compiled statements, pools."""

_CONNECTIONS = 8


async def soak(minutes: int, rate: int) -> list[Figure]:
    """Send so many messages a second the whole way, ask for as many durum and for a page, and watch the memory."""
    sizes: list[tuple[float, int]] = []
    waits: list[float] = []
    refused = 0
    async with served() as server:
        await server.no_gaps()
        began, cpu = CLOCK.monotonic(), server.cpu()
        for second in count(1):
            load = await drive(server.port, _second(server, rate, second), connections=_CONNECTIONS)
            waits += load.waits
            refused += load.refused
            if second % 60 == 0:
                minute = (CLOCK.monotonic() - began) / 60
                sizes.append((minute, server.rss()))
                waiting = server.count("status IN ('queued', 'sending')")
                print(f"  minute {minute:5.1f}: {mega(server.rss())}, {waiting} waiting, {refused} refused", flush=True)
            if second == minutes * 60:
                break
            await CLOCK.sleep_until(began + second)
        spent = (server.cpu() - cpu) / (CLOCK.monotonic() - began)
        await server.ask("GET", "/hazir")
        sent = server.count("status IN ('sent', 'delivered', 'read')")
        size = sum(path.stat().st_size for path in server.folder.glob(f"{FILE_NAME}*"))
    calm = [(minute, rss) for minute, rss in sizes if minute >= min(_WARM, minutes / 2)]
    return [
        Figure(name="messages sent, of those asked for", value=f"{sent:,} of {rate * minutes * 60:,}"),
        Figure(name="refused requests", value=f"{refused}", wanted="0"),
        Figure(name="memory (RSS), first / last / most", value=" / ".join(map(mega, _edges(sizes)))),
        Figure(
            name=f"its slope after {calm[0][0]:.0f} minutes",
            value=f"{slope(calm) / 1e6:+.2f} MB an hour",
            wanted="flat",
        ),
        Figure(name="an answer, p50 / p99", value=f"{milli(share(waits, 0.5))} / {milli(share(waits, 0.99))}"),
        Figure(name="CPU", value=f"{spent:.0%} of a core"),
        Figure(name="disk, bytes a message", value=f"{size / max(1, sent):,.0f}"),
    ]


def _second(server: Server, rate: int, second: int) -> Iterator[bytes]:
    yield from sends(server, rate)
    newest = rate * (second - 1)  # those of the second before: they are all there
    for log_id in islice(range(newest, 0, -1), rate):
        yield request("GET", f"{API}/durum/{log_id}", token=server.token)
    yield request("GET", f"{API}/gonderimler", token=server.token)


def _edges(sizes: list[tuple[float, int]]) -> tuple[int, int, int]:
    return sizes[0][1], sizes[-1][1], max(size for _, size in sizes)


def slope(points: list[tuple[float, int]]) -> float:
    """Answer the bytes an hour by which a straight line through the points climbs."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return 60 * sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0
