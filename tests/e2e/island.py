"""A network of one gateway's own, which can be cut: `python -m tests.e2e.island PORT SOCKET`.

Everything that the gateway there says and hears goes over the loopback of a network namespace. When that is down its
packets are dropped, as by a switch that has lost its power: nobody is told, nothing is closed, and both ends have to
find out by themselves. Two bridges lead out of it, both in this process: PORT outside to PORT inside, where the gateway
listens, and PostgreSQL's port inside to its SOCKET (a file knows no networks).
"""

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

POSTGRES = 5432

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS, SIOCSIFFLAGS: netdevice(7)
_UP = 1

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Island:
    """The network, while somebody keeps it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def before(self) -> Sequence[str]:
        """The program that runs another one in this network."""
        whose = ["--user", "--preserve-credentials"] if os.geteuid() else []
        return ["nsenter", f"--target={self._process.pid}", "--net", *whose]

    def cut(self) -> None:
        """Drop every packet from now on."""
        self._tell(b"down")

    def heal(self) -> None:
        """Let packets through again."""
        self._tell(b"up")

    def _tell(self, word: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + b"\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == word + b"\n", "the island has ended"


@contextmanager
def island(port: int, postgres: Path) -> Iterator[Island]:
    """Lend a network with a gateway's port and the way to PostgreSQL's socket. LookupError: this machine lends none."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.island", str(port), str(postgres)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            made = Island(process)
            try:
                made.heal()
            except (AssertionError, BrokenPipeError) as trouble:
                raise LookupError("a network of its own is not allowed here") from trouble
            yield made
        finally:
            process.kill()


# -- the island's own side


def _leave() -> None:
    """Go into a network that has nothing but a loopback, which is down."""
    user, group = os.geteuid(), os.getegid()
    flags = _NEW_NETWORK | (_NEW_USER if user else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    if user:
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


def _switch(line: socket.socket, *, is_up: bool) -> None:
    request = struct.pack("16sh14x", b"lo", 0)
    (flags,) = struct.unpack_from("16xh", fcntl.ioctl(line, _GET_FLAGS, request))
    fcntl.ioctl(line, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP if is_up else flags & ~_UP))


def _bridge(connect: Connect) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Answer what carries whoever comes to where `connect` leads."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await connect()
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    return carry


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(1 << 16):
            writer.write(said)
            await writer.drain()
    writer.close()


async def _serve(port: int, outside: socket.socket, postgres: Path) -> None:
    switch = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    _switch(switch, is_up=True)
    await asyncio.start_server(_bridge(lambda: asyncio.open_connection("127.0.0.1", port)), sock=outside)
    inside = _bridge(lambda: asyncio.open_unix_connection(postgres))
    await asyncio.start_server(inside, "127.0.0.1", POSTGRES)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        _switch(switch, is_up=order == b"up\n")
        sys.stdout.buffer.write(order)
        sys.stdout.buffer.flush()


def _main(port: int, postgres: Path) -> None:
    outside = socket.create_server(("127.0.0.1", port))  # of the network that is left: who comes, comes from there
    _leave()
    asyncio.run(_serve(port, outside, postgres))


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]))
