"""A Cloud account's line: it asks Meta about its number, hands messages over, and reads what Meta calls to tell.

Laws
1. `Accepted` is Meta's own id for the message: accepted for delivery, no more. That it came out is told by webhook.
2. Every send carries our log id (`biz_opaque_callback_data`), which the webhooks give back: a send whose answer was
   lost is settled by them, and never made again.
3. An answer that names an error never left; silence after the request may have. Nothing else is told apart.
4. Meta's limits are Meta's: what it turns away goes back to the queue, the line itself waits for nobody.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from weakref import WeakValueDictionary

import orjson

from guvercin.core.account import Line, LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Accepted, Deferred, LineEvent, Lost, Outcome, Refused, Scope, TransportEvent
from guvercin.transports.base import Clock, Emit, Features, HookFault, Outgoing, OutgoingFile
from guvercin.transports.cloud import hooks, payloads
from guvercin.transports.cloud.errors import Kind, Meaning, in_words, meaning
from guvercin.transports.cloud.graph import Answer, Graph, Silence, Told, Unsent
from guvercin.transports.cloud.media import MediaIds
from guvercin.transports.cloud.payloads import Form, GraphError, NumberState
from guvercin.transports.cloud.setup import Setup

CONCURRENCY = 32
"""Sends under way at once: Meta takes a few tenths of a second for each."""

WINDOW = timedelta(hours=24)
"""How long after their last message people may be written to in our own words."""

LOOK_EVERY = timedelta(minutes=10)
"""How often the number is asked about while the line stands."""

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
_DROPPED = LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN)
_PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
_FILE_GONE = Refused(reason=Code.FILE_NOT_OPENED)
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
        self._uploads: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.number: NumberState | None = None
        """What Meta last said of the number."""

    @property
    def features(self) -> Features:
        """Say what this line can carry."""
        return FEATURES

    # -- the line

    async def run(self, emit: Emit, line: Line) -> None:  # noqa: ARG002 -- Meta knows the number's state better
        """Ask about the number, and stand until Meta or the network says otherwise."""
        self._setup = self._setup_now()
        if self._setup is None:
            await emit(LineEvent(news=LineNews.BLOCKED, code=Code.INVALID_TOKEN))
            return
        self._farewell = None
        graph = self._connect(self._setup)
        try:
            farewell = await self._look(graph)
            if farewell is None:
                self._graph = graph
                await emit(LineEvent(news=LineNews.OPENED))
                farewell = await self._stand(graph)
        finally:
            self._graph = None
            await graph.close()
        await emit(farewell)

    async def unlink(self) -> None:
        """Do nothing: Meta knows of no session."""

    async def _stand(self, graph: Graph) -> LineEvent:
        """Look at the number from time to time until the line is lost; answer how it was lost."""
        while True:
            self._bell.clear()
            if self._farewell is not None:
                return self._farewell
            async with asyncio.TaskGroup() as group:
                alarm = group.create_task(self._clock.sleep_until(self._clock.monotonic() + LOOK_EVERY.total_seconds()))
                alarm.add_done_callback(lambda _: self._bell.set())
                await self._bell.wait()
                alarm.cancel()
            if self._farewell is None:
                found = await self._look(graph)
                if found is not None and found.news is not LineNews.DROPPED:  # one look that fails says nothing
                    return found

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
        if isinstance(form, Refused):
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
        told = await graph.post(f"{self._setup.number_id}/messages", body)
        return self._outcome(told, message.file if media and media.is_remembered else None)

    def _form(self, message: Outgoing) -> Form | Refused | None:
        """Answer the form that a message takes, null for its own words: those go to who wrote to us within a day."""
        heard_at = message.heard_at
        if heard_at is not None and self._clock.now() - heard_at < WINDOW:
            return None
        template = self._setup.templates.get(message.category or 0) if self._setup is not None else None
        if template is None:
            return Refused(reason=Code.NEEDS_TEMPLATE, scope=Scope.RECIPIENT)
        return template.filled(text=message.text, name=message.name)

    def _outcome(self, told: Told, file: OutgoingFile | None) -> Outcome:
        """Answer what came of a message. `file`: it was sent by an id that Meta may have forgotten."""
        match told:
            case Unsent():
                self._lose_line(_DROPPED)
                return _LINE_DOWN
            case Silence():
                return Lost(Code.ANSWER_LOST)
            case Answer():
                return self._answered(told, file)

    def _answered(self, answer: Answer, file: OutgoingFile | None) -> Outcome:
        error = payloads.error_of(answer.body)
        if error is not None:
            return self._refusal(error, answer, file)
        if 200 <= answer.status < 300:
            remote_id = payloads.remote_id_of(answer.body)
            return Accepted(remote_id, self._clock.now()) if remote_id else Lost(Code.ANSWER_LOST)
        if answer.status >= _SERVER_ERROR or answer.status == _REQUEST_TIMED_OUT:
            return Lost(Code.ANSWER_LOST)
        return _pushed_back(answer)  # somebody before Meta turned it away

    def _refusal(self, error: GraphError, answer: Answer, file: OutgoingFile | None) -> Deferred | Refused:
        self._note(error)
        meant = meaning(error, has_media=file is not None)
        match meant.kind:
            case Kind.REFUSED:
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

    async def _media_id(self, graph: Graph, file: OutgoingFile) -> "_Media | Deferred | Refused":
        """Answer the id under which Meta has a file. Whatever goes wrong here, no message has left."""
        assert self._setup is not None  # noqa: S101 -- the line is open
        key = _key(file)
        lock = self._uploads.setdefault(key, asyncio.Lock())
        async with lock:  # whoever comes meanwhile finds it uploaded
            try:
                if file.path.stat().st_size != file.size:
                    return _FILE_GONE
                if (known := self._media.find(key, self._clock.now())) is not None:
                    return _Media(known, is_remembered=True)
                told = await graph.upload(
                    f"{self._setup.number_id}/media", file.path, name=file.name, media_type=file.media_type
                )
            except OSError:
                return _FILE_GONE
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

    async def mark_read(self, remote_id: str) -> bool:
        """Tell a customer that their message was read; answers whether Meta took it."""
        if self._graph is None or self._setup is None:
            return False
        body = orjson.dumps(payloads.mark_read(remote_id))
        told = await self._graph.post(f"{self._setup.number_id}/messages", body)
        return isinstance(told, Answer) and told.status == 200

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
        return HookFault.BROKEN if told is None else hooks.events(told, number_id=setup.number_id)

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
