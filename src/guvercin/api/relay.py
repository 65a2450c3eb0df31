"""What concerns one account's line is done by the gateway that runs it: here such a call is carried there.

Any gateway takes any call. Nearly all of them are about rows, which every gateway has; few need the line itself: to
link a phone, to stop or start a line, to look at it, to hear Meta. Where another gateway runs the account, the call
goes to that one as it came, and its answer comes back as it is. A call is carried once: whoever gets one that was
carried answers it. Where nobody can be reached, it is answered here, with ELSEWHERE.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guvercin.api import meta_hook
from guvercin.api.render.ground import PREFIX
from guvercin.gateway.clock import Clock

if TYPE_CHECKING:
    import aiohttp

CARRIED = b"x-guvercin-carried"

_LARGEST = 4_000_000
"""Bytes of the largest body that such a call may have: one of Meta's."""

_PATIENCE = 3.0
"""Seconds in which an account that nobody runs this moment is seen to be run again."""

_LOOK_AGAIN = 0.1
_LIMIT = 60.0

_ANY = re.compile(
    rf"(?:{PREFIX}/hesaplar/(\d+)/(?:bagla|saglik)(?:/.*)?|{meta_hook.PREFIX}(\d+)|/panel/hesaplar/(\d+)/bagla)"
)
_CHANGES = re.compile(rf"(?:{PREFIX}|/panel)/hesaplar/(\d+)(?:/.*)?")
_LOOK_UP = f"{PREFIX}/numara-kontrol"

_OF_THE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer", b"proxy-connection"}
)

Answer: TypeAlias = tuple[int, Sequence[tuple[bytes, bytes]], bytes]
Ask: TypeAlias = Callable[[str, str, Sequence[tuple[str, str]], bytes], Awaitable[Answer]]
"""Ask another gateway: method, URL, headers and body; answers status, headers and body. OSError: it isn't reached."""


def account_of(scope: Scope) -> int | None:
    """Answer whose line a call needs; null: it needs none."""
    path: str = scope["path"]
    if path == _LOOK_UP:
        asked = parse_qs(scope["query_string"].decode("ascii", "replace")).get("hesap_id", [""])[0]
        return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < _DIGITS else None
    found = _ANY.fullmatch(path) or (None if scope["method"] in {"GET", "HEAD"} else _CHANGES.fullmatch(path))
    digits = None if found is None else next(group for group in found.groups() if group)
    return None if digits is None or len(digits) >= _DIGITS else int(digits)


_DIGITS = 16


class Relay:
    """An ASGI app around another, on a gateway that is one of several.

    `where` answers the address of the gateway that runs an account: null for nobody, and empty for this one.
    """

    def __init__(self, app: ASGIApp, *, where: Callable[[int], Awaitable[str | None]], ask: Ask, clock: Clock) -> None:
        self._app = app
        self._where = where
        self._ask = ask
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        account_id = account_of(scope) if scope["type"] == "http" else None
        if account_id is None or any(name == CARRIED for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        address = await self._patiently(account_id)
        if not address:
            await self._app(scope, receive, send)
            return
        messages = await _read(receive)
        body = b"".join(message.get("body", b"") for message in messages)
        if len(body) <= _LARGEST and messages[-1]["type"] == "http.request":
            try:
                status, headers, answer = await self._ask(*_carried(scope, address), body)
            except OSError:
                pass
            else:
                await send({"type": "http.response.start", "status": status, "headers": list(headers)})
                await send({"type": "http.response.body", "body": answer})
                return
        await self._app(scope, _again(messages, receive), send)

    async def _patiently(self, account_id: int) -> str | None:
        """Answer where an account is run. One that is on its way from one gateway to another is waited for."""
        deadline = self._clock.monotonic() + _PATIENCE
        address = await self._where(account_id)
        while address is None and self._clock.monotonic() < deadline:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_AGAIN)
            address = await self._where(account_id)
        return address


async def _read(receive: Receive) -> list[Message]:
    """Read a body, or as much of it as a call may have."""
    messages, size = [], 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False) or size > _LARGEST:
            return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Answer a `receive` that begins with what was read already."""
    waiting = iter(messages)

    async def receive_again() -> Message:
        return next(waiting, None) or await receive()

    return receive_again


def _carried(scope: Scope, address: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Answer the method, the URL and the headers with which a call goes on."""
    query = scope["query_string"].decode("ascii", "replace")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace").partition("?")[0]
    client = scope.get("client")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope["headers"]
        if name not in _OF_THE_CONNECTION | {b"content-length", b"x-forwarded-for", b"x-forwarded-proto"}
    ]
    headers += [(CARRIED.decode(), "1"), ("x-forwarded-proto", scope.get("scheme", "http"))]
    if client is not None:
        headers.append(("x-forwarded-for", str(client[0])))
    return scope["method"], f"{address}{path}{'?' if query else ''}{query}", headers


class Wire:
    """Calls to other gateways. Its connections are closed by `close`."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Ask. OSError: nobody is there, or there is no whole answer."""
        import aiohttp  # noqa: PLC0415 -- 25 MB, for those who have neighbours
        from yarl import URL  # noqa: PLC0415 -- as above

        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_LIMIT, connect=3),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        asked: Any = self._session.request(
            method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
        )
        try:
            async with asked as response:
                answer = await response.read()
                kept = [(name.lower(), value) for name, value in response.raw_headers]
                return response.status, [each for each in kept if each[0] not in _OF_THE_CONNECTION], answer
        except (aiohttp.ClientError, TimeoutError) as trouble:
            raise OSError(str(type(trouble).__name__)) from trouble

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None
