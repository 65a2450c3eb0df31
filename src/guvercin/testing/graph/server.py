"""The HTTP side of the fake: tokens, messages, media and numbers.

Laws
1. Nothing arrives but by a request that keeps every rule; everything that arrived is remembered.
2. It fails only when it is told to: by code, for the next few, every n-th, or as the script has it.
3. What the sender hears and what happened are two things: an answer may be lost after the message arrived.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from itertools import count
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from guvercin.testing.graph.callbacks import Callbacks, Item, bare
from guvercin.testing.graph.rules import LARGEST_DOCUMENT, MEDIA, Bucket, Fault, check_message, fault
from guvercin.transports.base import Clock

PER_SECOND: Mapping[str, int] = {"STANDARD": 80, "HIGH": 1_000}
PAIR_BURST = 45
PAIR_REFILL = timedelta(seconds=6)

_PATH = re.compile(r"v([0-9]{2})\.0")
_LAST_WITH_CONVERSATION = 23


class Answering(Enum):
    """How the sender hears of a message that arrived."""

    WHOLE = auto()
    NEVER = auto()
    """The connection is cut before the answer."""
    CUT = auto()
    """The connection is cut in the middle of the answer."""
    BAD_GATEWAY = auto()
    """A bare 502, as an edge server writes it."""
    HTML = auto()
    """A 200 that is a page."""
    LATE = auto()
    """The answer comes, but only after `Act.late` seconds."""
    DRIP = auto()
    """The answer comes byte by byte, `Act.late` seconds apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What becomes of one message. With an `error` nothing arrives; `ladder` are the statuses that follow.

    `headers` come with the error.

    `edge`: a server before Meta answers a page with this status, and nothing arrives either.
    """

    error: int | None = None
    edge: int | None = None
    answering: Answering = Answering.WHOLE
    late: float = 0.0
    ladder: tuple[str, ...] = ("sent", "delivered", "read")
    failure: int = 131026
    reply: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Script: TypeAlias = Callable[[Mapping[str, Any]], Act]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message that has reached Meta."""

    number_id: str
    remote_id: str
    body: Mapping[str, Any]
    at: datetime


@dataclass(slots=True, kw_only=True)
class Number:
    """One business number."""

    id: str
    phone: str
    level: str = "STANDARD"
    status: str = "CONNECTED"
    quality: str = "GREEN"
    tier: str = "TIER_250"
    templates: set[tuple[str, str]] = field(default_factory=set)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class FakeGraph:
    """The fake. Start it in a running loop; its lists may be read from anywhere."""

    def __init__(
        self,
        *,
        clock: Clock,
        rng: Random,
        app_secret: str = "app-secret",  # noqa: S107 -- a fake's
        script: Script = lambda _: Act(),
        validate: Callable[[Mapping[str, Any]], str | None] = lambda _: None,
        has_limits: bool = True,
        delay: float = 0.0,
        remembers: bool = True,
    ) -> None:
        """Take the script of every message; `validate` may refuse a request with a sentence of its own.

        `delay`: seconds that every send takes. `remembers`: whether arrivals, requests and calls are kept to be read.
        """
        self.script = script
        self.validate = validate
        self.has_limits = has_limits
        self.delay = delay
        self.numbers: dict[str, Number] = {}
        self.arrivals: list[Arrived] = []
        self.uploads = 0
        self.requests: list[Mapping[str, Any]] = []
        self.arrived = 0
        """How many messages have arrived."""
        self.next_ids: list[str] = []
        """Ids for the next messages that arrive, in place of its own."""
        self._remembers = remembers
        self.callbacks = Callbacks(secret=app_secret, clock=clock, rng=rng, keeps_log=remembers)
        self._tokens: dict[str, set[str]] = {}
        self._expired: set[str] = set()
        self._clock = clock
        self._rng = rng
        self._next: list[int] = []
        self._every: tuple[int, int] | None = None
        self._sends = count(1)
        self._pairs: dict[tuple[str, str], Bucket] = {}
        self._speeds: dict[str, Bucket] = {}
        self._ids = count(1)
        self._runner: web.AppRunner | None = None
        self.port = 0

    # -- what a test sets

    def add_number(self, number_id: str, phone: str, token: str, **traits: Any) -> Number:
        """Add a number, and a token that may send from it."""
        self.numbers[number_id] = number = Number(id=number_id, phone=phone, **traits)
        self._tokens.setdefault(token, set()).add(number_id)
        self.callbacks.knows(number_id, phone)
        return number

    def expire(self, token: str) -> None:
        """End a token."""
        self._expired.add(token)

    def renew(self, token: str) -> None:
        """Let a token be valid again."""
        self._expired.discard(token)

    def fail_next(self, code: int, times: int = 1) -> None:
        """Refuse the next messages with this code."""
        self._next.extend([code] * times)

    def fail_every(self, nth: int, code: int) -> None:
        """Refuse every n-th message with this code."""
        self._every = (nth, code)

    def forget_media(self) -> None:
        """Let every upload be over, as after 30 days."""
        for number in self.numbers.values():
            number.media.clear()

    def write_to(self, number_id: str, sender: str, text: str, *, kind: str = "text") -> str:
        """Let a customer write to a number; answers the id of their message."""
        remote_id = f"wamid.IN{next(self._ids):010d}"
        part = {"body": text} if kind == "text" else {"text": text, "payload": text}
        what = {"from": sender, "id": remote_id, "timestamp": self._timestamp(), "type": kind, kind: part}
        self._tell(number_id, Item(key="messages", what=what, contact=sender), 0.0)
        return remote_id

    def send_file_to(
        self, number_id: str, sender: str, content: bytes, *, kind: str, media_type: str, **more: str
    ) -> str:
        """Let a customer send a file (kind: image, document, …) to a number; answers the id of their message.

        `more`: what else stands beside Meta's id of it («caption», «filename»).
        """
        remote_id, media_id = f"wamid.IN{next(self._ids):010d}", f"8{next(self._ids):014d}"
        self.numbers[number_id].media[media_id] = (media_type, content)
        digest = base64.b64encode(sha256(content).digest()).decode()
        part = {"id": media_id, "mime_type": media_type, "sha256": digest, **more}
        what = {"from": sender, "id": remote_id, "timestamp": self._timestamp(), "type": kind, kind: part}
        self._tell(number_id, Item(key="messages", what=what, contact=sender), 0.0)
        return remote_id

    # -- its life

    async def start(self, port: int = 0) -> str:
        """Listen on this machine; answers the address, without a version."""
        app = web.Application(client_max_size=LARGEST_DOCUMENT + 1_000_000)
        app.router.add_post("/{version}/{id}/messages", self._messages)
        app.router.add_post("/{version}/{id}/media", self._upload)
        app.router.add_get("/{version}/{id}", self._look)
        app.router.add_delete("/{version}/{id}", self._delete)
        app.router.add_get("/download/{id}", self._download)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        await self.callbacks.open()
        self.port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening, and forget what is owed."""
        await self.callbacks.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- the routes

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        number = self._admit(request)
        if isinstance(number, Fault):
            return self._refuse(number)
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return self._refuse(fault(100, "the body is no JSON"))
        if self._remembers:
            self.requests.append(body)
        found = check_message(body, media=number.media.keys(), templates=number.templates)
        if found is None and (sentence := self.validate(body)) is not None:
            found = fault(100, sentence)
        if found is None:
            found = self._injected()
        if found is None and body.get("status") == "read":
            return _json({"success": True})
        if found is None:
            found = self._limited(number, body["to"])
        if found is not None:
            return self._refuse(found)
        return await self._take(request, number, body)

    async def _take(self, request: web.Request, number: Number, body: Mapping[str, Any]) -> web.StreamResponse:
        act = self.script(body)
        if act.error is not None:
            refusal = self._refuse(fault(act.error))
            refusal.headers.update(act.headers)
            return refusal
        if act.edge is not None:
            headers = {"Retry-After": "7", "Location": f"/v25.0/{number.id}/messages"}
            return web.Response(status=act.edge, text="<h1>Sorry</h1>", content_type="text/html", headers=headers)
        if self.delay:
            await self._clock.sleep_until(self._clock.monotonic() + self.delay)
        remote_id = (
            self.next_ids.pop(0)
            if self.next_ids
            else f"wamid.HBg{sha256(f'{number.id} {next(self._ids)}'.encode()).hexdigest()[:24].upper()}"
        )
        self.arrived += 1
        if self._remembers:
            arrived = Arrived(number_id=number.id, remote_id=remote_id, body=body, at=self._clock.now())
            self.arrivals.append(arrived)
        self._owe(request, number, body, remote_id, act)
        to = body["to"].removeprefix("+")
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": body["to"], "wa_id": to}],
            "messages": [{"id": remote_id, "message_status": "accepted"}],
        }
        return await self._say(request, act, answer)

    async def _say(self, request: web.Request, act: Act, answer: Mapping[str, Any]) -> web.StreamResponse:
        match act.answering:
            case Answering.WHOLE:
                return _json(answer)
            case Answering.BAD_GATEWAY:
                return web.Response(status=502, text="Bad Gateway")
            case Answering.HTML:
                return web.Response(text="<!doctype html><title>Sorry</title>", content_type="text/html")
            case Answering.LATE:
                await self._clock.sleep_until(self._clock.monotonic() + act.late)
                return _json(answer)
            case Answering.NEVER:
                return _cut(request)
            case Answering.CUT | Answering.DRIP:
                return await self._say_in_part(request, act, orjson.dumps(answer))

    async def _say_in_part(self, request: web.Request, act: Act, raw: bytes) -> web.StreamResponse:
        """Announce an answer, and cut it in the middle or let it drip."""
        begun = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(raw))})
        await begun.prepare(request)
        if act.answering is Answering.CUT:
            await begun.write(raw[: len(raw) // 2])
            return _cut(request, begun)
        for byte in raw:
            await begun.write(bytes([byte]))
            await self._clock.sleep_until(self._clock.monotonic() + act.late)
        return begun

    def _owe(self, request: web.Request, number: Number, body: Mapping[str, Any], remote_id: str, act: Act) -> None:
        """Plan the statuses of a message, and the answer of its recipient."""
        to = body["to"].removeprefix("+")
        step = self.callbacks.habits.step
        for place, status in enumerate(act.ladder, start=1):
            what: dict[str, Any] = {
                "id": remote_id,
                "status": status,
                "timestamp": self._timestamp(),
                "recipient_id": to,
            }
            if "biz_opaque_callback_data" in body:
                what["biz_opaque_callback_data"] = body["biz_opaque_callback_data"]
            if status == "failed":
                told = fault(act.failure)
                what["errors"] = [{"code": told.code, "title": told.title, "message": told.title}]
            elif place == 1:
                what["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
                if _version(request) <= _LAST_WITH_CONVERSATION:
                    what["conversation"] = {"id": remote_id[-16:], "origin": {"type": "utility"}}
            self._tell(number.id, Item(key="statuses", what=what, contact=to), place * step)
        if act.reply is not None:
            self.write_to(number.id, to, act.reply)

    def _tell(self, number_id: str, item: Item, after: float) -> None:
        told = item if self.callbacks.habits.numbers else bare(item)
        self.callbacks.tell(number_id, told, after=after)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        number = self._admit(request)
        if isinstance(number, Fault):
            return self._refuse(number)
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            return self._refuse(fault(100, "messaging_product and file are required"))
        media_type = file.content_type
        if form.get("type") != media_type or media_type not in MEDIA:
            return self._refuse(fault(100, f"the type {media_type!r} is not taken"))
        content = file.file.read()
        if len(content) > max(MEDIA[media_type], LARGEST_DOCUMENT):
            return self._refuse(fault(131053, "the file is too large"))
        self.uploads += 1
        media_id = f"7{next(self._ids):014d}"
        number.media[media_id] = (media_type, content)
        return _json({"id": media_id})

    async def _look(self, request: web.Request) -> web.StreamResponse:
        """Answer a number or an upload: both are objects of Graph."""
        wanted = request.match_info["id"]
        mine = self._mine(request)
        if isinstance(mine, Fault):
            return self._refuse(mine)
        if wanted in mine:
            return _json(
                _shown(self.numbers[wanted], request.query.get("fields", "id,display_phone_number").split(","))
            )
        for number_id in mine:
            if wanted in self.numbers[number_id].media:
                return _json(self._file(request, wanted, *self.numbers[number_id].media[wanted]))
        return self._refuse(_no_object(wanted))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["id"]
        mine = self._mine(request)
        if isinstance(mine, Fault):
            return self._refuse(mine)
        is_gone = any(self.numbers[number_id].media.pop(wanted, None) for number_id in mine)
        return _json({"success": True}) if is_gone else self._refuse(_no_object(wanted))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        mine = self._mine(request)
        if isinstance(mine, Fault):
            return self._refuse(mine)
        for number_id in mine:
            if (found := self.numbers[number_id].media.get(request.match_info["id"])) is not None:
                return web.Response(body=found[1], content_type=found[0])
        return web.Response(status=404)

    def _file(self, request: web.Request, media_id: str, media_type: str, content: bytes) -> dict[str, Any]:
        return {
            "messaging_product": "whatsapp",
            "url": f"{request.url.origin()}/download/{media_id}",
            "mime_type": media_type,
            "sha256": sha256(content).hexdigest(),
            "file_size": len(content),
            "id": media_id,
        }

    # -- who may, and how fast

    def _mine(self, request: web.Request) -> set[str] | Fault:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            return fault(190, "Invalid OAuth access token")
        if token in self._expired:
            return fault(190, "Session has expired", subcode=463)
        return self._tokens[token]

    def _admit(self, request: web.Request) -> Number | Fault:
        mine = self._mine(request)
        if isinstance(mine, Fault):
            return mine
        wanted = request.match_info["id"]
        if wanted not in mine or _version(request) == 0:
            return _no_object(wanted)
        return self.numbers[wanted]

    def _injected(self) -> Fault | None:
        if self._next:
            return fault(self._next.pop(0))
        if self._every is not None and next(self._sends) % self._every[0] == 0:
            return fault(self._every[1])
        return None

    def _limited(self, number: Number, to: str) -> Fault | None:
        if not self.has_limits:
            return None
        at = self._clock.monotonic()
        rate = PER_SECOND[number.level]
        speed = self._speeds.setdefault(number.id, Bucket(rate, timedelta(seconds=1 / rate), at))
        if not speed.take(at):
            return fault(130429)
        pair = self._pairs.setdefault((number.id, to.removeprefix("+")), Bucket(PAIR_BURST, PAIR_REFILL, at))
        return None if pair.take(at) else fault(131056)

    def _refuse(self, found: Fault) -> web.Response:
        return _json(found.body(f"A{next(self._ids):08d}"), status=found.status)

    def _timestamp(self) -> str:
        return str(int(self._clock.now().timestamp()))


def _version(request: web.Request) -> int:
    found = _PATH.fullmatch(request.match_info["version"])
    return int(found[1]) if found else 0


def _no_object(wanted: str) -> Fault:
    return fault(100, f"Unsupported request. Object with ID '{wanted}' does not exist", subcode=33)


def _shown(number: Number, fields: list[str]) -> dict[str, Any]:
    whole = {
        "id": number.id,
        "display_phone_number": number.phone,
        "verified_name": "Deneme İşletmesi",
        "quality_rating": number.quality,
        "throughput": {"level": number.level},
        "status": number.status,
        "whatsapp_business_manager_messaging_limit": number.tier,
    }
    return {name: value for name, value in whole.items() if name in {"id", *fields}}


def _json(body: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Cut the connection."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()
