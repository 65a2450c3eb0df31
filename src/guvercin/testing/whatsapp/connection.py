"""One socket of a client: the handshake, the frames, and the ways in which a connection ends.

Laws
1. Frames are 3 bytes of length (big-endian) and a body; they needn't fall together with websocket messages.
2. A client that leaves, or says what can't be read, ends its own connection and nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError

from guvercin.testing.whatsapp.binxml import SERVER_JID, Attr, Node
from guvercin.testing.whatsapp.devices import ClientKeys, LinkedDevice
from guvercin.testing.whatsapp.noise import Ciphers, Handshake

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.server import WhatsApp

_log = logging.getLogger(__name__)

_PATIENCE = 20.0
"""Seconds that a client has for its handshake and for its answers."""
_FAREWELL = 0.05
"""Seconds between the last word and the end of the connection, so that the word arrives."""


class Connection:
    """One websocket of a client. `keys` is set while it waits to be linked, `device` once it has logged in."""

    def __init__(self, server: "WhatsApp", request: web.Request, websocket: web.WebSocketResponse) -> None:
        self.server = server
        self._request, self._websocket = request, websocket
        self._ciphers: Ciphers | None = None
        self._numbers = count(1)
        self._asked: dict[str, asyncio.Future[Node]] = {}
        self.payload: Any = None
        """The ClientPayload that it opened with."""
        self.keys: ClientKeys | None = None
        self.device: LinkedDevice | None = None
        self.code_offer: CodeOffer | None = None

    async def run(self) -> None:
        """Shake hands, log in, and handle what comes until the client leaves."""
        try:
            async for stanza in self._stanzas():
                await self.server.handle(self, stanza)
        except (ConnectionError, TimeoutError):
            _log.debug("a client left in the middle")
        except (ValueError, InvalidTag, DecodeError) as error:
            _log.warning("a client said what can't be read: %s", error)
            await self.cut()
        finally:
            if self.device is not None and self.device.connection is self:
                self.device.connection, self.device.is_active = None, False

    async def send(self, node: Node) -> None:
        """Send one stanza. ConnectionError: the client has left."""
        if self._ciphers is None:
            raise ConnectionError("the handshake isn't over")
        _log.debug("S> %s", node)
        await self._send_frame(self._ciphers.seal(self.server.codec.encode(node)))

    async def ask(self, tag: str, children: list[Node], **attrs: Attr) -> Node:
        """Ask the client (`<iq type=set xmlns=TAG>`), and answer its answer. TimeoutError: it gave none."""
        number = self.next_id()
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        asked: dict[str, Attr] = {"from": SERVER_JID, "id": number, "type": "set", "xmlns": tag}
        await self.send(Node("iq", asked | attrs, children))
        return await asyncio.wait_for(answer, _PATIENCE)

    def is_answered(self, node: Node) -> bool:
        """Give an answer of the client's to whoever asked. False: nobody did."""
        asked = self._asked.pop(node.text("id"), None)
        if asked is not None and not asked.done():
            asked.set_result(node)
        return asked is not None

    def next_id(self) -> str:
        """Answer a fresh id for a stanza of the server's own."""
        return f"server-{next(self._numbers)}"

    async def cut(self) -> None:
        """Break the TCP connection, without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, last_word: Node | None = None) -> None:
        """Say a last word, and close the connection."""
        with suppress(ConnectionError):
            if last_word is not None:
                await self.send(last_word)
                clock = self.server.clock
                await clock.sleep_until(clock.monotonic() + _FAREWELL)
            await self._websocket.close()

    async def stream_error(self, *, code: str = "", conflict: str = "") -> None:
        """Close with `<stream:error code><conflict type/></stream:error>`: 515 (come again), 401 removed, replaced."""
        children = [Node("conflict", {"type": conflict})] if conflict else None
        await self.close(Node("stream:error", {"code": code}, children))

    async def refuse(self, reason: str, attrs: dict[str, Attr] | None = None) -> None:
        """Close with `<failure reason …/>` in place of a login: 401, 402 (code, expire), 403, 405, 406, 503."""
        told: dict[str, Attr] = {"reason": reason, "location": "lla"}
        await self.close(Node("failure", told | (attrs or {})))

    async def _stanzas(self) -> AsyncIterator[Node]:
        frames = self._frames()
        handshake = Handshake(await self._next(frames))
        await self._send_frame(handshake.server_hello(await self._next(frames), self.server.identity))
        noise, self.payload, self._ciphers = handshake.client_finish(await self._next(frames))
        if self.payload.HasField("devicePairingData"):
            self.keys = replace(ClientKeys.of(self.payload.devicePairingData), noise=noise)
        await self.server.welcome(self, noise)
        async for frame in frames:
            node = self.server.codec.decode(self._ciphers.open(frame))
            _log.debug("C> %s", node)
            yield node

    @staticmethod
    async def _next(frames: AsyncIterator[bytes]) -> bytes:
        async with asyncio.timeout(_PATIENCE):
            frame = await anext(frames, None)
        if frame is None:
            raise ConnectionError("the client left in the handshake")
        return frame

    async def _frames(self) -> AsyncIterator[bytes]:
        """Answer the header (`W A 06 03`), then the body of each frame."""
        buffer = bytearray()
        has_header = False
        async for message in self._websocket:
            if message.type is not WSMsgType.BINARY:
                continue
            buffer += message.data
            if not has_header and len(buffer) >= 4:
                if buffer[:2] != b"WA":
                    raise ValueError("the first bytes are not WhatsApp's")
                has_header = True
                header = bytes(buffer[:4])
                del buffer[:4]
                yield header
            while has_header and len(buffer) >= 3 and len(buffer) >= (end := 3 + int.from_bytes(buffer[:3], "big")):
                frame = bytes(buffer[3:end])
                del buffer[:end]
                yield frame

    async def _send_frame(self, body: bytes) -> None:
        await self._websocket.send_bytes(len(body).to_bytes(3, "big") + body)


class CodeOffer:
    """A client's wish to be linked by a typed code: its wrapped ephemeral key (80 bytes), and a reference."""

    def __init__(self, reference: bytes, wrapped: bytes) -> None:
        self.reference, self.wrapped = reference, wrapped
        self.finished: asyncio.Future[tuple[bytes, bytes]] = asyncio.get_running_loop().create_future()
        """What the client sends at the end: the wrapped key bundle and its identity."""
