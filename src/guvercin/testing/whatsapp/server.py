"""A WhatsApp on loopback: accounts, linked clients, logins, and the sockets that clients dial.

Laws
1. It listens on 127.0.0.1 alone, on ports that the system gave it. Everything is in memory and ends with it.
2. A pass against it means that the client accepts these stanzas, not that WhatsApp behaves so. Modelled from the
   client's source and not known: which receipts come after a crash and when, the dropping of a repeated id, what
   463 and 429 look like on the wire, the attributes of `failure` and `stream:error`, the order of the queue, the
   news about devices.
3. Not played: groups, app state, status, channels, calls, the presence of others, requests for more prekeys, limits
   and bans by behaviour.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from guvercin.testing.whatsapp import linking, queries, routing
from guvercin.testing.whatsapp.binxml import JID, LID, SERVER_JID, Attr, Codec, Node
from guvercin.testing.whatsapp.connection import Connection
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Plan, Point
from guvercin.testing.whatsapp.media import LARGEST, MediaStore
from guvercin.testing.whatsapp.noise import ServerIdentity
from guvercin.testing.whatsapp.phones import Phone, Received, devices_of
from guvercin.testing.whatsapp.tokens import dictionary
from guvercin.transports.base import Clock

T = TypeVar("T")

_log = logging.getLogger(__name__)

_FIRST_LID = 100_000_000_000_001
_PATIENCE = 15.0

PATH = "/ws/chat"


def loopback_socket() -> socket.socket:
    """Answer a socket bound to a free port of 127.0.0.1: the port is taken before anybody listens on it."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


class WhatsApp:
    """The server. What clients did stands in `received`, `client_receipts`, `stanzas` and `unhandled`."""

    def __init__(self, library: Path, clock: Clock, tls: ssl.SSLContext) -> None:
        self.clock = clock
        self.skew = timedelta(0)
        """How far the server's clock goes ahead of the real one (less than 0: behind)."""
        self.codec = Codec(dictionary(library))
        self.identity = ServerIdentity(clock.now())
        self.faults = Plan(clock)
        self.media = MediaStore(self.faults)
        self.welcomes_strangers = False
        """True: every number that somebody asks for is on WhatsApp, with a phone that delivers and reads."""
        self.is_away = False
        """True: clients that dial get no answer but HTTP 503."""
        self.phones: dict[str, Phone] = {}
        self.offers: dict[str, Connection] = {}
        """Clients that show a QR code, by the references that they may show."""
        self.code_offers: dict[str, Connection] = {}
        """Clients that wait for a typed code, by the phone number that they named."""
        self.connections: set[Connection] = set()
        self.received: list[Received] = []
        self.client_receipts: list[Node] = []
        self.stanzas: list[Node] = []
        self.unhandled: list[Node] = []
        self._tls = tls
        self._by_lid: dict[str, Phone] = {}
        self._by_noise: dict[bytes, LinkedDevice] = {}
        self._lids, self._ids = count(_FIRST_LID), count(1)
        self._away_until = 0.0
        self._changed = asyncio.Condition()
        self._runners: list[web.AppRunner] = []
        self._work: set[asyncio.Task[None]] = set()

    def add_phone(self, number: str, name: str = "", *, receipts: tuple[str, ...] = ("",)) -> Phone:
        """Give somebody a phone with WhatsApp. `number` is without a plus; `receipts` are what it sends by itself."""
        phone = Phone(server=self, number=number, lid=str(next(self._lids)), name=name or number, receipts=receipts)
        self.phones[number] = self._by_lid[phone.lid] = phone
        return phone

    def find(self, jid: JID) -> Phone | None:
        """Answer whose address this is; None if nobody on WhatsApp has it."""
        number = jid.user.lstrip("+")
        phone = (self._by_lid if jid.server == LID else self.phones).get(number)
        if phone is None and self.welcomes_strangers and jid.server != LID and number.isdigit():
            phone = self.add_phone(number, receipts=("", "read"))
        return phone if phone is not None and phone.is_registered else None

    def devices(self) -> list[LinkedDevice]:
        """Answer every linked device of everybody."""
        return devices_of(self.phones.values())

    def now(self) -> datetime:
        """Answer the server's own time."""
        return self.clock.now() + self.skew

    def seconds(self) -> int:
        """Answer the server's own time as it stands in stanzas: whole seconds since 1970."""
        return int(self.now().timestamp())

    def next_id(self) -> str:
        """Answer a fresh id for a stanza of the server's own."""
        return f"notice-{next(self._ids)}"

    def told(self, tag: str, *children: Node) -> Node:
        """Answer a stanza from the server itself."""
        return Node(tag, {"from": SERVER_JID}, list(children))

    def key_nodes(self, bundle: Any) -> list[Node]:
        """Answer a bundle as it stands on the wire."""
        return queries.key_nodes(bundle)

    async def start(self, listening: socket.socket) -> None:
        """Listen for clients on a bound socket, and for files on a port of the system's choice."""
        chat = web.Application(client_max_size=LARGEST)
        chat.router.add_get(PATH, self._dialled)
        await self._serve(chat, listening, None)
        files = web.Application(client_max_size=LARGEST)
        files.router.add_routes(self.media.routes())
        files.router.add_get(PATH, self._dialled)  # a proxy may send the real address here
        bound = loopback_socket()
        self.media.port = bound.getsockname()[1]
        await self._serve(files, bound, self._tls)

    async def stop(self) -> None:
        """Break every connection and free the ports."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        for connection in list(self.connections):
            await connection.cut()
        for runner in self._runners:
            await runner.cleanup()

    async def until(self, check: Callable[[], T | None], within: float | None = _PATIENCE) -> T:
        """Wait until a check answers something true, and answer that. TimeoutError: it didn't in so many seconds."""
        async with asyncio.timeout(within), self._changed:
            while not (found := check()):
                await self._changed.wait()
            return found

    def leave_for(self, time: timedelta) -> None:
        """Be away: clients that dial get HTTP 503 until the time has passed."""
        self._away_until = self.clock.monotonic() + time.total_seconds()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that must not hold up what the client says next."""
        task = asyncio.ensure_future(_undisturbed(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def welcome(self, connection: Connection, noise: bytes) -> None:
        """Offer to link a client that brought fresh keys, or log in the one whose key this is, or refuse it."""
        if connection.keys is not None:
            await linking.offer(connection)
        else:
            await self._log_in(connection, self._by_noise.get(noise))
        await self._tell_waiters()

    async def handle(self, connection: Connection, node: Node) -> None:
        """Take one stanza of a client's."""
        self.stanzas.append(node)
        match node.tag:
            case "iq":
                await queries.answer(self, connection, node)
            case "message":
                await routing.message(self, connection, node)
            case "receipt":
                await routing.receipt(self, connection, node)
            case "ack" if connection.device is not None:
                connection.device.has_acknowledged(node.text("class"), node.text("id"))
            case "ib" | "presence" | "chatstate":
                pass
            case _:
                self.unhandled.append(node)
        await self._tell_waiters()

    async def admit(self, device: LinkedDevice) -> None:
        """Let a client in that was just linked."""
        device.phone.devices[device.number] = device
        self._by_noise[device.keys.noise] = device
        await routing.announce(self, device, "add")

    async def dismiss(self, device: LinkedDevice) -> None:
        """Let a client in no more."""
        device.is_removed = True
        if device.phone.devices.pop(device.number, None) is not None:
            await routing.announce(self, device, "remove")

    def forget_offers(self, connection: Connection) -> None:
        """Take back the codes of a client: it was linked, or has left."""
        for offers in (self.offers, self.code_offers):
            for key in [key for key, offered in offers.items() if offered is connection]:
                del offers[key]

    async def _log_in(self, connection: Connection, device: LinkedDevice | None) -> None:
        payload = connection.payload
        if (
            device is None
            or device.is_removed
            or (str(payload.username), payload.device)
            != (
                device.phone.number,
                device.number,
            )
        ):
            await connection.refuse("401")
            return
        fault = await self.faults.meet(Point.LOGIN, account=device.phone.number)
        if fault is not None:
            if fault.act is Act.CUT:
                self.leave_for(timedelta(seconds=fault.seconds))
                await connection.cut()
            else:
                await connection.refuse(fault.code, dict(fault.attrs))
            return
        if (other := device.connection) is not None:
            device.connection = None
            await other.stream_error(conflict="replaced")
        device.connection, connection.device = connection, device
        told: dict[str, Attr] = {"t": self.seconds(), "props": "27", "location": "lla", "creation": self.seconds()}
        who: dict[str, Attr] = {"lid": device.lid_jid, "display_name": device.phone.name}
        await connection.send(Node("success", told | who))

    async def _dialled(self, request: web.Request) -> web.StreamResponse:
        if self.is_away or self.clock.monotonic() < self._away_until:
            return web.Response(status=503)
        websocket = web.WebSocketResponse(max_msg_size=0)
        await websocket.prepare(request)
        connection = Connection(self, request, websocket)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)
            self.forget_offers(connection)
            await self._tell_waiters()
        return websocket

    async def _serve(self, app: web.Application, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        self._runners.append(runner)
        await web.SockSite(runner, listening, ssl_context=tls).start()

    async def _tell_waiters(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except ConnectionError:
        _log.debug("the client left before the answer")
