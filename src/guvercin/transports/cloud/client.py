"""A Cloud account's line: it asks Meta about its number, hands messages over, and reads what Meta calls to tell.

Laws
1. `Accepted` is Meta's own id for the message: accepted for delivery, no more. That it came out is told by webhook.
2. Every send carries our log id (`biz_opaque_callback_data`), which the webhooks give back: a send whose answer was
   lost is settled by them, and never made again.
3. An answer that names an error never left; silence after the request may have. Nothing else is told apart.
4. Meta's limits are Meta's: what it turns away goes back to the queue, the line itself waits for nobody.
5. What stops is what the error is about: a message, a recipient, a template, the account, or everything for a moment.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import orjson

from guvercin.core.account import Line, LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.grant import Grant
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    LineEvent,
    Lost,
    NumberNews,
    Outcome,
    Refused,
    Restricted,
    Scope,
    TemplateNews,
    TransportEvent,
)
from guvercin.transports.base import Clock, Emit, Features, HookFault, Outgoing, OutgoingFile, file_trouble
from guvercin.transports.cloud import fetching, hooks, payloads
from guvercin.transports.cloud.errors import Kind, Meaning, in_words, meaning
from guvercin.transports.cloud.graph import Answer, Graph, Silence, Told, Unsent
from guvercin.transports.cloud.media import MediaIds
from guvercin.transports.cloud.payloads import Form, GraphError, NumberState
from guvercin.transports.cloud.setup import Setup
from guvercin.transports.cloud.templates import LOOK_AGAIN_AFTER, Templates

CONCURRENCY = 32
"""Sends under way at once: Meta takes a few tenths of a second for each."""

WINDOW = timedelta(hours=24)
"""How long after their last message people may be written to in our own words."""

LOOK_EVERY = timedelta(minutes=10)
"""How often the number is asked about while the line stands."""

PEOPLE_OF = MappingProxyType(
    {"TIER_50": 50, "TIER_250": 250, "TIER_1K": 1_000, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000}
)
"""How many people a day may be written to first; a tier that isn't here has no limit, or one that nobody knows."""

RESTRICTED_FOR = timedelta(hours=24)
"""How long a line says that it is restricted after Meta last refused a message for that: Meta names no end."""

FEATURES = Features(
    max_text=payloads.LONGEST_TEXT,
    media=MappingProxyType(
        dict.fromkeys(("application/pdf", "image/jpeg", "image/png", "image/webp"), payloads.LARGEST_DOCUMENT),
    ),
    receipts=True,
    concurrency=CONCURRENCY,
    needs_template_outside_24h=True,
)

_LINE_DOWN = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
_TAKEN_AWAY = Deferred(reason=Code.CLOSING, pushed_back=False)
_TEMPLATE_STOPPED = Deferred(reason=Code.TEMPLATE_STOPPED, pushed_back=False, retry_after=LOOK_AGAIN_AFTER)
_DROPPED = LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN)
_PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
_SERVER_ERROR = 500
_REQUEST_TIMED_OUT = 408

_log = logging.getLogger(__name__)


class Cloud:
    """One number of the Cloud API. `connect` makes the way to Graph; `setup` answers null until its owner gave one."""

    def __init__(
        self,
        *,
        account_id: int,
        setup: Callable[[], Setup | None],
        connect: Callable[[Setup], Graph],
        media: MediaIds,
        clock: Clock,
    ) -> None:
        self._account_id = account_id
        self._setup_now = setup
        self._setup: Setup | None = None
        self._connect = connect
        self._media = media
        self._clock = clock
        self._graph: Graph | None = None
        self._farewell: LineEvent | None = None
        self._bell = asyncio.Event()
        self._news: list[TransportEvent] = []
        """What sends have found out about the line, to be told by its run."""
        self._look_at = 0.0
        """When the number is next asked about, on the monotonic clock."""
        self._restricted_until = 0.0
        self._sickness: Code | None = None
        """What the line has last said to be the matter with it."""
        self._templates = Templates(clock)
        self._uploads: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.number: NumberState | None = None
        """What Meta last said of the number."""

    @property
    def features(self) -> Features:
        """Say what this line can carry."""
        return FEATURES

    def granted(self) -> Grant | None:
        """Answer what Meta grants the number. The limit of people is shared by the numbers of a business account."""
        number, setup = self.number, self._setup
        if number is None or setup is None:
            return None
        return Grant(per_second=number.per_second, people=PEOPLE_OF.get(number.tier or ""), pool=setup.business_id)

    # -- the line

    async def run(self, emit: Emit, line: Line) -> None:  # noqa: ARG002 -- Meta knows the number's state better
        """Ask about the number, and stand until Meta or the network says otherwise."""
        self._setup = self._setup_now()
        if self._setup is None:
            await emit(LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN))
            return
        self._farewell = None
        self._sickness = None
        self._templates.forget()
        graph = self._connect(self._setup)
        try:
            farewell = await self._look(graph)
            if farewell is None:
                self._graph = graph
                await emit(LineEvent(news=LineNews.OPENED))
                farewell = await self._stand(graph, emit)
        finally:
            self._graph = None
            await graph.close()
        await emit(farewell)

    async def unlink(self) -> None:
        """Do nothing: Meta knows of no session."""

    async def _stand(self, graph: Graph, emit: Emit) -> LineEvent:
        """Tell what is news of the line, and look at the number from time to time; answer how the line was lost."""
        self._look_at = self._clock.monotonic() + LOOK_EVERY.total_seconds()
        while True:
            self._bell.clear()
            if self._farewell is not None:
                return self._farewell
            if self._clock.monotonic() >= self._look_at:
                self._look_at = self._clock.monotonic() + LOOK_EVERY.total_seconds()
                found = await self._look(graph)
                if found is not None and found.news is not LineNews.DROPPED:  # one look that fails says nothing
                    return found
            await self._tell(emit)
            async with asyncio.TaskGroup() as group:
                alarm = group.create_task(self._clock.sleep_until(self._look_at))
                alarm.add_done_callback(lambda _: self._bell.set())
                await self._bell.wait()
                alarm.cancel()

    async def _tell(self, emit: Emit) -> None:
        """Tell what sends have found out, and what is the matter with a line that stands all the same."""
        while self._news:
            await emit(self._news[0])
            del self._news[0]
        is_restricted = self._clock.monotonic() < self._restricted_until
        sickness = Code.NEW_CHATS_RESTRICTED if is_restricted else None
        if sickness is None and self._templates.are_any_stopped:
            sickness = Code.TEMPLATE_STOPPED
        if sickness is not self._sickness:
            await emit(LineEvent(news=LineNews.SICK if sickness else LineNews.WELL, code=sickness))
            self._sickness = sickness

    async def _look(self, graph: Graph) -> LineEvent | None:
        """Ask about the number. Null: it may send."""
        assert self._setup is not None  # noqa: S101 -- a run begins with one
        found = await look_up(graph, self._setup.number_id)
        if isinstance(found, Code):
            _log.info("number_not_seen", extra={"account_id": self._account_id, "code": found.value})
            is_away = found is Code.META_UNREACHABLE
            return _DROPPED if is_away else LineEvent(news=LineNews.BLOCKED, code=found)
        self.number = found
        if not payloads.can_send(found):
            _log.warning("number_state", extra={"account_id": self._account_id, "state": found.status})
            return LineEvent(news=LineNews.BLOCKED, code=Code.NOT_REGISTERED)
        return None

    def _lose_line(self, farewell: LineEvent) -> None:
        self._graph = None
        self._farewell = farewell
        self._bell.set()

    # -- sending

    async def send(self, message: Outgoing) -> Outcome:
        """Upload the file if Meta doesn't have it, and hand the message over, once."""
        graph = self._graph
        if graph is None or self._setup is None:
            return _LINE_DOWN
        form = self._form(message)
        if isinstance(form, Refused | Deferred):
            return form
        media: _Media | None = None
        if message.file is not None:
            if form is None and len(message.text or "") > payloads.LONGEST_CAPTION:
                return Refused(reason=Code.LONG_TEXT)
            found = await self._media_id(graph, message.file)
            if not isinstance(found, _Media):
                return found
            media = found
        body = orjson.dumps(payloads.message(message, media.id if media else None, form))
        if not message.may_leave():
            return _TAKEN_AWAY
        told = await graph.post(f"{self._setup.number_id}/messages", body)
        return self._outcome(told, message.file if media and media.is_remembered else None, form)

    def _form(self, message: Outgoing) -> Form | Refused | Deferred | None:
        """Answer the form that a message takes, null for its own words: those go to who wrote to us within a day."""
        heard_at = message.heard_at
        if heard_at is not None and self._clock.now() - heard_at < WINDOW:
            return None
        template = self._setup.templates.get(message.category or 0) if self._setup is not None else None
        if template is None:
            return Refused(reason=Code.NEEDS_TEMPLATE, scope=Scope.RECIPIENT)
        if self._templates.is_stopped(template.name, template.language):
            return _TEMPLATE_STOPPED
        form = template.filled(text=message.text, name=message.name, variables=message.variables)
        return form or Refused(reason=Code.TEMPLATE_PLACE, scope=Scope.RECIPIENT)

    def _outcome(self, told: Told, file: OutgoingFile | None, form: Form | None) -> Outcome:
        """Answer what came of a message. `file`: it was sent by an id that Meta may have forgotten."""
        match told:
            case Unsent():
                self._lose_line(_DROPPED)
                return _LINE_DOWN
            case Silence():
                return Lost(Code.ANSWER_LOST)
            case Answer():
                return self._answered(told, file, form)

    def _answered(self, answer: Answer, file: OutgoingFile | None, form: Form | None) -> Outcome:
        error = payloads.error_of(answer.body)
        if error is not None:
            return self._refusal(error, answer, file, form)
        if 200 <= answer.status < 300:
            remote_id = payloads.remote_id_of(answer.body)
            return Accepted(remote_id, self._clock.now()) if remote_id else Lost(Code.ANSWER_LOST)
        if answer.status >= _SERVER_ERROR or answer.status == _REQUEST_TIMED_OUT:
            return Lost(Code.ANSWER_LOST)
        return _pushed_back(answer)  # somebody before Meta turned it away

    def _refusal(
        self, error: GraphError, answer: Answer, file: OutgoingFile | None, form: Form | None = None
    ) -> Deferred | Refused:
        self._note(error)
        meant = meaning(error, has_media=file is not None)
        match meant.kind:
            case Kind.REFUSED | Kind.RESTRICTED | Kind.TEMPLATE_STOPPED:
                self._stop(meant, form)
                return Refused(reason=meant.reason, scope=meant.scope, detail=in_words(error))
            case Kind.PUSHED_BACK:
                return _put_off(meant, answer)
            case Kind.MEDIA_GONE:
                if file is not None:
                    self._media.forget(_key(file))
                return Deferred(reason=meant.reason, pushed_back=True, retry_after=timedelta(0))
            case Kind.LINE_DROPPED:
                self._lose_line(_DROPPED)
            case Kind.LINE_BLOCKED:
                self._lose_line(LineEvent(news=LineNews.BLOCKED, code=meant.reason))
        return _LINE_DOWN

    def _stop(self, meant: Meaning, form: Form | None) -> None:
        """Stop what a refusal is about, beside its own message."""
        if meant.kind is Kind.TEMPLATE_STOPPED and form is not None:
            self._templates.stop(form.name, form.language)
            self._bell.set()
        elif meant.kind is Kind.RESTRICTED:
            self._restricted(Restricted(code=meant.reason, is_active=True, stops_bulk=True))

    def _restricted(self, news: Restricted) -> None:
        """Say for a while that the line is restricted. What it closes is for the gateway to decide."""
        if self._clock.monotonic() >= self._restricted_until:  # a crowd that was turned away says it once
            self._news.append(news)
        self._restricted_until = self._clock.monotonic() + RESTRICTED_FOR.total_seconds()
        self._bell.set()

    async def _media_id(self, graph: Graph, file: OutgoingFile) -> "_Media | Deferred | Refused":
        """Answer the id under which Meta has a file. Whatever goes wrong here, no message has left."""
        assert self._setup is not None  # noqa: S101 -- the line is open
        key = _key(file)
        lock = self._uploads.setdefault(key, asyncio.Lock())
        async with lock:  # whoever comes meanwhile finds it uploaded
            try:
                if (obstacle := file.obstacle()) is not None:
                    return obstacle
                if (known := self._media.find(key, self._clock.now())) is not None:
                    return _Media(known, is_remembered=True)
                told = await graph.upload(
                    f"{self._setup.number_id}/media", file.path, name=file.name, media_type=file.media_type
                )
            except OSError as trouble:
                return file_trouble(trouble)
            return self._uploaded(told, key)

    def _uploaded(self, told: Told, key: str) -> "_Media | Deferred | Refused":
        """Answer what an answer to an upload means."""
        match told:
            case Unsent():
                self._lose_line(_DROPPED)
                return _LINE_DOWN
            case Silence():
                return _PUSHED_BACK
        error = payloads.error_of(told.body)
        if error is not None:
            return self._refusal(error, told, None)
        media_id = payloads.media_id_of(told.body)
        if media_id is None or not 200 <= told.status < 300:
            return _pushed_back(told)
        self._media.keep(key, media_id, self._clock.now())
        return _Media(media_id, is_remembered=False)

    async def mark_read(self, remote_id: str) -> None:
        """Tell a customer that their message was read. NOT_CONNECTED, WHATSAPP_REFUSED."""
        if self._graph is None or self._setup is None:
            raise GuvercinError(Code.NOT_CONNECTED)
        body = orjson.dumps(payloads.mark_read(remote_id))
        told = await self._graph.post(f"{self._setup.number_id}/messages", body)
        if not isinstance(told, Answer):
            raise GuvercinError(Code.NOT_CONNECTED)
        if not 200 <= told.status < 300:
            raise GuvercinError(Code.WHATSAPP_REFUSED)

    async def fetch(self, source: bytes, into: Path, *, limit: int) -> None:
        """Fetch the file of a message that came in."""
        told = payloads.decode(source)
        if self._graph is None or self._setup is None or not isinstance(told, dict):
            raise GuvercinError(Code.INBOUND_FILE_AWAY)
        await fetching.fetch(self._graph, self._setup.number_id, told, into, limit=limit)

    # -- what Meta calls to tell

    def greet(self, word: str, challenge: str) -> str | None:
        """Answer Meta's first call to our address."""
        setup = self._setup_now()
        return challenge if setup is not None and hooks.is_same(word, setup.verify_token) else None

    def read(self, body: bytes, signature: str | None) -> list[TransportEvent] | HookFault:
        """Check Meta's signature and read what it tells."""
        setup = self._setup_now()
        if setup is None or not setup.app_secret:
            _log.warning(
                "webhook_closed",
                extra={"account_id": self._account_id, "why": "no app secret is configured: nothing can be believed"},
            )
            return HookFault.CLOSED
        if signature is None:
            return HookFault.NO_SIGNATURE
        if not hooks.is_signed(body, signature, setup.app_secret):
            return HookFault.WRONG_SIGNATURE
        told = payloads.decode(body)
        if told is None:
            return HookFault.BROKEN
        events = hooks.events(told, number_id=setup.number_id)
        for event in events:
            self._heed(event)
        return events

    def _heed(self, event: Any) -> None:
        """Take what Meta says of templates and of the number as it is: it stands, whether it can be stored or not."""
        match event:
            case TemplateNews():
                self._templates.hear(event)
            case Restricted():
                until = 0.0 if not event.is_active else self._clock.monotonic() + RESTRICTED_FOR.total_seconds()
                self._restricted_until = until
            case NumberNews():
                self._look_at = 0.0
            case _:
                return
        self._bell.set()

    def _note(self, error: GraphError) -> None:
        _log.info("graph_error", extra={"account_id": self._account_id, "code": error.code, "trace": error.trace})


async def look_up(graph: Graph, number_id: str) -> NumberState | Code:
    """Ask Meta about a number. META_UNREACHABLE: no answer that means anything; else why it can't be used."""
    told = await graph.get(number_id, fields=payloads.NUMBER_FIELDS)
    if not isinstance(told, Answer):
        return Code.META_UNREACHABLE
    error = payloads.error_of(told.body)
    if error is None:
        return payloads.number_of(told.body) or Code.META_UNREACHABLE
    if error.code == 100:  # Meta's word for «no such number, or not yours»
        return Code.NOT_REGISTERED
    meant = meaning(error)
    return meant.reason if meant.kind is Kind.LINE_BLOCKED else Code.META_UNREACHABLE


@dataclass(frozen=True, slots=True)
class _Media:
    """The id of an upload. `is_remembered`: it was made earlier, and Meta may have forgotten it."""

    id: str
    is_remembered: bool


def _key(file: OutgoingFile) -> str:
    """Answer by what Meta's copy of a file is found again. Its spool path stands in where no digest is told."""
    return f"{file.digest or file.path} {file.media_type}"


def _put_off(meant: Meaning, answer: Answer) -> Deferred:
    asked = None if answer.retry_after is None else timedelta(seconds=answer.retry_after)
    return Deferred(reason=meant.reason, pushed_back=True, retry_after=asked or meant.wait, scope=meant.scope)


def _pushed_back(answer: Answer) -> Deferred:
    is_limit = answer.status == 429
    asked = None if answer.retry_after is None else timedelta(seconds=answer.retry_after)
    scope = Scope.ACCOUNT if is_limit else Scope.MESSAGE
    return Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=asked, scope=scope)
