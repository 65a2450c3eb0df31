"""An office as Schemathesis meets it: an ASGI app whose event loop is Schemathesis' own.

An office lives no longer than a test, and each begins with the same few rows: what is found does not depend on what was
tried before it.
"""

from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from starlette.types import Receive, Scope, Send
from tests.proof.office import BASE, SECOND, Office

from guvercin.core.token import PREFIX

SECRET = bytes(32)
TOKEN = PREFIX + SECRET.hex()

ACCOUNTS = 3
FILE = "FTR-001.pdf"
ROWS = 7
"""Rows of a new office, each with a fate of its own; ids up to these are there."""

_SENT = (
    {"telefon": "+905000000001", "mesaj": "Okunacak", "referans": "SIP-1"},
    {"telefon": "+905000000002", "mesaj": "Reddedilecek"},
    {"telefon": "+905000000008", "mesaj": "Belirsiz kalacak"},
    {"telefon": "+905000000001", "mesaj": "Yarın", "referans": "SIP-1", "planlanan_zaman": "2026-02-24 12:00:00"},
    {"telefon": "+905000000001", "mesaj": "Duran hesapta", "hesap_id": 2},
)
_LIST = {"alicilar": [{"telefon": "+905000000001"}, {"telefon": "5"}], "mesaj": "Liste"}


class Front:
    """The app in front of an office, which lives as long as the app: from its startup to its shutdown."""

    def __init__(self, folder: Path, database: Path) -> None:
        self._folder = folder
        self._database = database
        self._visitor = count()
        self._office: Office
        self._is_worn = False

    def renew(self) -> None:
        """Let the next request find a new office."""
        self._is_worn = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._is_worn:
            await self._office.close()
            await self._open()
        # Everybody has an address of their own: those who guess at tokens are not to hear 429 instead of 401.
        visitor = (f"192.0.2.{next(self._visitor) % 250}", 40_000)
        await self._office.serve(self._office.app({**scope, "client": visitor}, receive, send))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._office.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        self._office = await furnished(Path(mkdtemp(dir=self._folder)), self._database)
        self._is_worn = False


async def furnished(folder: Path, database: Path) -> Office:
    """Open an office that has something of everything to be asked about."""
    office = await Office.open(folder, database, accounts=ACCOUNTS)
    (folder / FILE).write_bytes(b"%PDF-1.7\nfatura")
    await office.token(SECRET)
    await office.ask("POST", f"{BASE}/hesaplar/2/duraklat", TOKEN)
    for body in _SENT:
        await office.ask("POST", f"{BASE}/gonder", TOKEN, json=body, headers={"Prefer": "respond-async"})
    await office.ask("POST", f"{BASE}/toplu-gonder", TOKEN, json=_LIST)
    await office.clock.elapse(10 * SECOND)
    return office
