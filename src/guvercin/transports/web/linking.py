"""The conversation in which a phone becomes an account: codes are shown until somebody takes one, or time is up."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import LineEvent
from guvercin.transports.base import Clock, Emit, Link, LinkState
from guvercin.transports.web import protocol as p
from guvercin.transports.web.child import ChildGoneError, Seat
from guvercin.transports.web.run import Limits

QR_FIRST = timedelta(seconds=60)
QR_NEXT = timedelta(seconds=20)
"""How long WhatsApp takes the first QR code, and each one after it."""

_log = logging.getLogger(__name__)

_END = {
    LinkState.TIMED_OUT: LineEvent(news=LineNews.TIMED_OUT, code=Code.LINKING_TIMED_OUT),
    LinkState.PASSKEY: LineEvent(news=LineNews.LOGGED_OUT, code=Code.PASSKEY_NEEDED),
    LinkState.FAILED: LineEvent(news=LineNews.LOGGED_OUT, code=Code.LINKING_FAILED),
}


class Linking:
    """One try. `show` is told of every change of what a person may be shown; `phone` null: by QR."""

    def __init__(
        self, seat: Seat, phone: str | None, show: Callable[[Link], None], *, clock: Clock, limits: Limits
    ) -> None:
        self._seat = seat
        self._phone = phone
        self._show = show
        self._clock = clock
        self._limits = limits
        self._ends_at = clock.now() + timedelta(seconds=limits.link)
        self._shown = 0

    async def link(self, emit: Emit) -> str | LineEvent:
        """Answer the jid of the phone that took a code, or why none did."""
        deadline = self._clock.monotonic() + self._limits.link
        while True:
            report = await self._seat.next_report(max(0.0, deadline - self._clock.monotonic()))
            if isinstance(report, p.Linked):
                self._show(Link(state=LinkState.LINKED))
                return report.jid
            if isinstance(report, p.Qr):
                self._shown += 1
                state = await self._show_qr(emit, report.text) if self._phone is None else await self._show_code(emit)
            else:
                state = _end_of(report)
            if state is not None:
                self._show(Link(state=state))
                is_outdated = isinstance(report, p.Outdated)
                return LineEvent(news=LineNews.BLOCKED, code=Code.ENGINE_OUTDATED) if is_outdated else _END[state]

    async def _show_qr(self, emit: Emit, text: str) -> LinkState | None:
        life = QR_FIRST if self._shown == 1 else QR_NEXT
        until = min(self._clock.now() + life, self._ends_at)
        self._show(Link(state=LinkState.SHOWING, qr=text, valid_until=until))
        await emit(LineEvent(news=LineNews.CODE, until=until))
        return None

    async def _show_code(self, emit: Emit) -> LinkState | None:
        """Ask for the code to type, once: it stays good while QR texts come and go."""
        phone = self._phone
        if phone is None or self._shown > 1:
            return None
        with suppress(TimeoutError, ChildGoneError):
            answer = await self._seat.call(lambda number: p.AskCode(id=number, phone=phone), limit=self._limits.open)
            if isinstance(answer, p.PairingCode):
                self._show(Link(state=LinkState.SHOWING, code=answer.code, valid_until=self._ends_at))
                await emit(LineEvent(news=LineNews.CODE, until=self._ends_at))
                return None
        return LinkState.FAILED


def _end_of(report: p.Report | None) -> LinkState | None:
    """Answer the end that a report means; null: linking goes on."""
    match report:
        case None:
            return LinkState.TIMED_OUT
        case p.Linking(word=word):
            return _end_of_word(word)
        case p.Ended() | p.SignInRefused() | p.Banned() | p.LoggedOut() | p.Outdated():
            return LinkState.FAILED
        case _:
            return None


def _end_of_word(word: str) -> LinkState | None:
    if word == "success":
        return None
    if word == "timeout":
        return LinkState.TIMED_OUT
    if "passkey" in word:
        return LinkState.PASSKEY
    _log.warning("linking_failed", extra={"word": word[:80]})
    return LinkState.FAILED
