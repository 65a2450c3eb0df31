"""Calls to addresses of other people's choosing: a body goes there, and what came back is told in a few words.

Laws
1. A name is asked for once, everything that it leads to is judged (core/address.py), and the connection goes to one of
   those very addresses: a name that leads elsewhere a moment later leads nowhere.
2. No redirect is followed, no proxy of the environment taken, no cookie kept, nothing unpacked.
3. A call is over after LIMIT seconds, whatever the other side does, and no more than MOST bytes of its answer are read.
"""

import ipaddress
import socket
import ssl
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from guvercin.core.address import ForbiddenAddress, Neighbours, Target, check, is_public, read_url
from guvercin.core.call import Called, CallTrouble

LIMIT = 15.0
"""Seconds for all of a call: the name, the connection, the body and the answer."""

MOST = 64 * 1024
"""Bytes that are read of an answer."""

SHOWN = 200
"""Letters of an answer that an owner is shown; none of an address that isn't public."""

LONGEST_PATIENCE = timedelta(hours=24)
"""The most that a Retry-After is believed."""

_CONNECTIONS = 100
_OK = range(200, 300)
_REDIRECTS = range(300, 400)


LookUp: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Answers the addresses that a name leads to. OSError (gaierror): there is no such name."""


async def _ask_the_system(host: str) -> Sequence[str]:
    found = await get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(where[0]).partition("%")[0] for _, _, _, _, where in found]


class Outside:
    """The way out: a pool of connections for https and one for http, each opened with its first call."""

    def __init__(
        self,
        neighbours: Neighbours,
        monotonic: Callable[[], float],
        *,
        limit: float = LIMIT,
        look_up: LookUp | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """Take whom the owner allows besides. A test may look names up and trust certificates in its own way."""
        self._neighbours = neighbours
        self._monotonic = monotonic
        self._limit = limit
        self._look_up = look_up or _ask_the_system
        self._trusted = trusted
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._private: set[str] = set()
        """Names that led to an address that isn't public when they were last asked for."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Called:
        """Hand a body over, once; whatever goes wrong is an answer too."""
        began = self._monotonic()
        try:
            target = read_url(url, self._neighbours)
            called = await self._post(url, target, body, headers)
        except ForbiddenAddress as refusal:
            called = Called(trouble=CallTrouble(refusal.fault.value))
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError):
            called = Called(trouble=CallTrouble.CERTIFICATE)
        except aiohttp.ClientConnectorError as trouble:
            called = Called(trouble=_why_unconnected(trouble))
        except TimeoutError:
            called = Called(trouble=CallTrouble.TOO_SLOW)
        except (aiohttp.InvalidURL, UnicodeError):
            called = Called(trouble=CallTrouble.UNREADABLE)
        except (aiohttp.ClientError, OSError):
            called = Called(trouble=CallTrouble.BROKEN_OFF)
        return replace(called, took=timedelta(seconds=self._monotonic() - began))

    async def _post(self, url: str, target: Target, body: bytes, headers: Mapping[str, str]) -> Called:
        session = self._session(is_encrypted=target.is_encrypted)
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            raw = await _beginning(response)
            if len(raw) >= MOST:  # it may never end: the connection is of no more use
                response.close()
        return Called(
            trouble=_verdict(response.status),
            status=response.status,
            retry_after=_retry_after(response),
            shown=raw.decode("utf-8", "replace")[:SHOWN] if self._may_show(target) else None,
        )

    async def close(self) -> None:
        """Drop every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, *, is_encrypted: bool) -> aiohttp.ClientSession:
        if is_encrypted not in self._sessions:
            self._sessions[is_encrypted] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_Judge(self._neighbours, self._private, self._look_up, is_encrypted=is_encrypted),
                    use_dns_cache=False,
                    limit=_CONNECTIONS,
                    ssl=self._trusted or True,
                ),
                timeout=aiohttp.ClientTimeout(total=self._limit),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                skip_auto_headers=("User-Agent",),
            )
        return self._sessions[is_encrypted]

    def _may_show(self, target: Target) -> bool:
        try:
            return is_public(ipaddress.ip_address(target.host))
        except ValueError:
            return target.host not in self._private


class _Judge(AbstractResolver):
    """Asks for a name once, and passes on only what may be called. One forbidden address condemns the name."""

    def __init__(self, neighbours: Neighbours, private: set[str], look_up: LookUp, *, is_encrypted: bool) -> None:
        self._neighbours = neighbours
        self._private = private
        self._look_up = look_up
        self._is_encrypted = is_encrypted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer the addresses of a name. OSError; its cause is ForbiddenAddress where we refuse."""
        del family
        target = Target(host=host, port=port, is_encrypted=self._is_encrypted)
        results: list[ResolveResult] = []
        for found in await self._look_up(host):
            address = ipaddress.ip_address(found)
            try:
                check(target, address, self._neighbours)
            except ForbiddenAddress as refusal:
                raise OSError(refusal.fault.value) from refusal
            (self._private.discard if is_public(address) else self._private.add)(host)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address),
                    port=port,
                    family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                    proto=socket.IPPROTO_TCP,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        return results

    async def close(self) -> None:
        """Nothing is kept."""


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read the beginning of an answer, MOST bytes at the most."""
    raw = bytearray()
    while len(raw) < MOST and (piece := await response.content.read(MOST - len(raw))):
        raw += piece
    return bytes(raw)


def _verdict(status: int) -> CallTrouble | None:
    if status in _OK:
        return None
    return CallTrouble.REDIRECTED if status in _REDIRECTS else CallTrouble.REFUSED


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    """Answer how long the other side wants to be left alone: whole seconds; dates are rare and not read."""
    asked = response.headers.get("Retry-After", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 9):
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_PATIENCE)


def _why_unconnected(trouble: aiohttp.ClientConnectorError) -> CallTrouble:
    """Answer why no connection was made: refused by us, an unknown name, or nobody there."""
    cause: BaseException | None = trouble
    while cause is not None:
        if isinstance(cause, ForbiddenAddress):
            return CallTrouble(cause.fault.value)
        if isinstance(cause, socket.gaierror):
            return CallTrouble.UNKNOWN_NAME
        cause = cause.__cause__
    return CallTrouble.NO_CONNECTION
