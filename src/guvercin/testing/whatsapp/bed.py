"""All that a client under test needs, in one folder: server, copy of the engine, authority, environment.

Laws
1. Ports are free ones and the folder is one's own: beds can stand side by side.
2. `environment` must be set before the client's process starts: Go reads it when the library loads.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from guvercin.testing.whatsapp import authority
from guvercin.testing.whatsapp.library import library_of, overlay
from guvercin.testing.whatsapp.messages import engine_folder
from guvercin.testing.whatsapp.server import PATH, WhatsApp, loopback_socket
from guvercin.transports.base import Clock

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@asynccontextmanager
async def running(folder: Path, clock: Clock, *, is_trusted: bool = True) -> "AsyncIterator[Bed]":
    """Answer a bed that listens, until the end of the block."""
    bed = Bed(folder, clock, is_trusted=is_trusted)
    await bed.start()
    try:
        yield bed
    finally:
        await bed.stop()


class Bed:
    """A WhatsApp in a folder, and what makes a client dial it.

    `is_trusted` False leaves WhatsApp's own root key in the client's library: such a client must refuse the server.
    """

    def __init__(self, folder: Path, clock: Clock, *, is_trusted: bool = True) -> None:
        engine = engine_folder()
        certificate, tls = authority.make(folder / "tls", clock.now())
        self.folder = folder
        """Where all of it lies."""
        self.server = WhatsApp(library_of(engine), clock, tls)
        self._listening: socket.socket = loopback_socket()
        port = self._listening.getsockname()[1]
        self.address = f"ws://127.0.0.1:{port}{PATH}"
        """What a client dials that can be told an address."""
        root = self.server.identity.root.public if is_trusted else None
        site = overlay(engine, folder / "site", root=root, port=port)
        behind = os.environ.get("PYTHONPATH")
        self.environment: dict[str, str] = {
            "PYTHONPATH": os.pathsep.join([str(site), *([behind] if behind else [])]),
            "SSL_CERT_FILE": str(certificate),
            **dict.fromkeys(_PROXIES, ""),
        }
        """The variables that a client's process gets on top of its own."""

    async def start(self) -> None:
        """Listen."""
        await self.server.start(self._listening)

    async def stop(self) -> None:
        """End everything. The folder stays: it is the caller's."""
        await self.server.stop()
        self._listening.close()
