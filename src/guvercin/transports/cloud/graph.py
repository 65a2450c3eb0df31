"""The HTTP way to Meta's Graph API: one call, and what is surely known after it.

Laws
1. `Unsent` is said only when the request can't have been acted on; whatever may have left is `Silence`.
2. Nothing is tried twice and no redirect is followed: a second POST is a second message.
3. The token travels in a header to the one configured server, and to Meta's own for a file; never into an error or a
   log.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from guvercin.transports.cloud.payloads import decode

CONNECT_LIMIT = 5.0
READ_LIMIT = 30.0
"""Seconds until the call has its answer, connecting included."""

UPLOAD_LIMIT = 50.0
"""The same for a file, which takes its time; less than the gateway waits for a send."""

CONNECTIONS = 40
"""More than are ever under way at once: a request never waits for a connection, and its time for an answer alone."""

_LARGEST_ANSWER = 1_000_000
_PIECE = 64 * 1024
_OK = 200
_METAS = (".facebook.com", ".fbsbx.com", ".fbcdn.net", ".whatsapp.net", ".whatsapp.com")
"""Where Graph says that files lie. Nobody but Meta has a name below these."""

_LONGEST_WAIT = 3_600.0
_REFUSED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `body` is null if it was no JSON; `retry_after` are the seconds that the server asked for."""

    status: int
    body: Any
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Unsent:
    """No connection was made: nothing left."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The request may have arrived, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file came whole. `digest` is the SHA-256 of its bytes in hex."""

    digest: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A file is larger than was asked for; no more of it was read."""


Told: TypeAlias = Answer | Unsent | Silence


class Graph:
    """One number's connections to Graph. Open it in the loop that uses it, and close it."""

    def __init__(
        self,
        base: str,
        *,
        token: str,
        connections: int = CONNECTIONS,
        connect_limit: float = CONNECT_LIMIT,
        read_limit: float = READ_LIMIT,
    ) -> None:
        """Take the address with its version, without a slash at the end."""
        self._base = base
        self._connect_limit = connect_limit
        self._read_limit = read_limit
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=60),
            headers={"Authorization": f"Bearer {token}"},
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Drop every connection."""
        await self._session.close()

    async def get(self, path: str, **query: str) -> Told:
        """Ask for something."""
        return await self._call("GET", path, limit=self._read_limit, params=query)

    async def post(self, path: str, body: bytes) -> Told:
        """Hand over JSON."""
        headers = {"Content-Type": "application/json"}
        return await self._call("POST", path, limit=self._read_limit, data=body, headers=headers)

    async def upload(self, path: str, file: Path, *, name: str, media_type: str) -> Told:
        """Hand over a file. OSError: it can't be read."""
        with file.open("rb") as opened:
            form = aiohttp.FormData()
            form.add_field("messaging_product", "whatsapp")
            form.add_field("type", media_type)
            form.add_field("file", opened, filename=name, content_type=media_type)
            return await self._call("POST", path, limit=max(UPLOAD_LIMIT, self._read_limit), data=form)

    async def download(self, address: str, into: Path, *, limit: int) -> Written | TooLarge | Told:
        """Fetch a file that Graph named the address of, at one of Meta's own servers. OSError: it can't be written."""
        if self._session.closed or not _is_metas(address, self._base):
            return Unsent()
        limits = aiohttp.ClientTimeout(total=max(UPLOAD_LIMIT, self._read_limit), sock_connect=self._connect_limit)
        try:
            async with self._session.get(address, timeout=limits, allow_redirects=False) as response:
                if response.status != _OK:
                    return Answer(status=response.status, body=None, retry_after=_seconds(response))
                with into.open("r+b") as file:
                    return await _written(response, file, limit)
        except aiohttp.ClientError:  # some are an OSError too, and none of these is the disk's
            return Silence()
        except TimeoutError:
            return Silence()

    async def _call(self, method: str, path: str, *, limit: float, **what: Any) -> Told:
        if self._session.closed:  # the line ended while a file was being uploaded
            return Unsent()
        limits = aiohttp.ClientTimeout(total=limit, sock_connect=self._connect_limit)
        try:
            async with self._session.request(
                method, f"{self._base}/{path}", timeout=limits, allow_redirects=False, **what
            ) as response:
                raw = await _beginning(response)
                return Answer(status=response.status, body=decode(raw), retry_after=_seconds(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            return Unsent()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Silence()


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read an answer, _LARGEST_ANSWER bytes at the most. It comes in pieces, and a read answers with the first."""
    raw = bytearray()
    while len(raw) < _LARGEST_ANSWER and (piece := await response.content.read(_LARGEST_ANSWER - len(raw))):
        raw += piece
    return bytes(raw)


async def _written(response: aiohttp.ClientResponse, file: BinaryIO, limit: int) -> Written | TooLarge:
    """Write what comes, as far as it is allowed."""
    if (response.content_length or 0) > limit:
        return TooLarge()
    sha256, size = hashlib.sha256(), 0
    async for piece in response.content.iter_chunked(_PIECE):
        size += len(piece)
        if size > limit:
            return TooLarge()
        sha256.update(piece)
        file.write(piece)
    return Written(sha256.hexdigest())


def _is_metas(address: str, base: str) -> bool:
    """Say whether the token may go to an address: to Meta's own servers, and to the one that was configured."""
    asked, own = urlsplit(address), urlsplit(base)
    if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
        return True
    host = asked.hostname or ""
    return asked.scheme == "https" and asked.port in {None, 443} and host.endswith(_METAS)


def _seconds(response: aiohttp.ClientResponse) -> float | None:
    """Answer how long the server asks us to wait: plainly, or as the end of a spent allowance."""
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdecimal() and len(asked) < 9:
        return min(float(asked), _LONGEST_WAIT)
    usage = response.headers.get("X-Business-Use-Case-Usage")
    if response.status < _REFUSED or usage is None:
        return None
    return _until_access(decode(usage.encode()))


def _until_access(usages: Any) -> float | None:
    """Read `{"<id>": [{"estimated_time_to_regain_access": <minutes>, …}]}`; null if there is nothing to wait for."""
    groups = usages.values() if isinstance(usages, dict) else ()
    each = [usage for group in groups if isinstance(group, list) for usage in group if isinstance(usage, dict)]
    minutes = [usage.get("estimated_time_to_regain_access") for usage in each]
    longest = max((found for found in minutes if type(found) is int), default=0)
    return min(longest * 60.0, _LONGEST_WAIT) if longest > 0 else None
