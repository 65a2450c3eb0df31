"""What goes wrong, as data: a plan of faults that a test, a person or a file writes down before anything happens.

Laws
1. A fault strikes at one point of the protocol, in the order in which it was planned, `times` times after it let
   `skip` pass; the first fault of the plan that fits strikes, and only that one.
2. A fault that makes no sense where it stands is refused when it is planned, not when it is met.
3. A plan is plain JSON (`Plan.read`), so that the same story can be played by a test and by `guvercin
   deneme-sunucusu`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from guvercin.transports.base import Clock


class Point(StrEnum):
    """Where a fault can strike."""

    LOGIN = "login"
    """A linked device opens its connection."""
    MESSAGE = "message"
    """A linked device sends a message."""
    PREKEYS = "prekeys"
    """A client asks for somebody's keys."""
    LOOKUP = "lookup"
    """A client asks whether a number is on WhatsApp, or for somebody's devices."""
    UPLOAD = "upload"
    DOWNLOAD = "download"
    LINKING = "linking"
    """A phone has scanned a code, or typed one."""


class Act(StrEnum):
    """What happens there."""

    DELAY = "delay"
    """Everything goes well, `seconds` later. (A message arrives at once; its acknowledgement is what is late.)"""
    REFUSE = "refuse"
    """The answer is no, with `code`: an ack's error, a `failure` reason, an HTTP status, a refused pairing."""
    CUT = "cut"
    """The connection breaks and what was sent is lost. The server stays away for `seconds`."""
    CUT_AFTER = "cut_after"
    """The message arrives, then the connection breaks before the ack. The server stays away for `seconds`."""
    SILENT = "silent"
    """The message arrives, and no ack ever comes."""
    LOST = "lost"
    """The message doesn't arrive, and no ack ever comes."""
    REMOVED = "removed"
    """The message arrives; then the person removes the linked device on the phone."""
    REPLACED = "replaced"
    """The message arrives; then another client takes the connection over."""
    UNREADABLE = "unreadable"
    """The recipient's phone can't read the message and asks for it again (a retry receipt)."""
    RECEIPT = "receipt"
    """The message arrives, and a receipt of the type `code` comes besides: one that no client knows, for example."""
    FORGED = "forged"
    """The keys come with a wrong signature."""
    MISSING = "missing"
    """There are no keys, or the number isn't on WhatsApp."""
    PASSKEY = "passkey"
    """WhatsApp asks for a passkey before it links."""


_SENSE = {
    Point.LOGIN: {Act.DELAY, Act.REFUSE, Act.CUT},
    Point.MESSAGE: {
        *(Act.DELAY, Act.REFUSE, Act.CUT, Act.CUT_AFTER, Act.SILENT, Act.LOST),
        *(Act.REMOVED, Act.REPLACED, Act.UNREADABLE, Act.RECEIPT),
    },
    Point.PREKEYS: {Act.DELAY, Act.FORGED, Act.MISSING},
    Point.LOOKUP: {Act.DELAY, Act.MISSING},
    Point.UPLOAD: {Act.DELAY, Act.REFUSE},
    Point.DOWNLOAD: {Act.DELAY, Act.REFUSE},
    Point.LINKING: {Act.DELAY, Act.REFUSE, Act.PASSKEY},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. `code` and `attrs` go into the answer (attrs: more attributes of a `failure`, such as expire).

    `account` and `to` are phone numbers without a plus that it strikes; empty strikes all. `times` None: for ever.
    """

    at: Point
    act: Act
    code: str = ""
    seconds: float = 0.0
    times: int | None = 1
    skip: int = 0
    account: str = ""
    to: str = ""
    attrs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.act not in _SENSE[self.at]:
            raise ValueError(f"a fault can't be «{self.act}» at «{self.at}»")
        if (self.act is Act.RECEIPT or (self.act is Act.REFUSE and self.at is not Point.LINKING)) and not self.code:
            raise ValueError(f"«{self.act}» at «{self.at}» needs a code")
        if self.seconds < 0 or self.skip < 0 or (self.times is not None and self.times < 1):
            raise ValueError("seconds and skip can't be less than 0, nor times less than 1")


class Plan:
    """The faults of one server, and how often each has been met."""

    def __init__(self, clock: Clock, faults: Iterable[Fault] = ()) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self.struck: list[Fault] = []
        """Every fault that has struck, in order."""
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Plan more faults, after those that are planned."""
        self._faults += faults
        self._seen += [0] * len(faults)

    def clear(self) -> None:
        """Let everything go well from here on."""
        self._faults, self._seen = [], []

    async def meet(self, at: Point, *, account: str = "", to: str = "") -> Fault | None:
        """Answer the fault that strikes here, if any. A plain DELAY is served here; a message's is the caller's."""
        fault = self._next(at, account, to)
        if fault is not None:
            self.struck.append(fault)
            if fault.act is Act.DELAY and at is not Point.MESSAGE:
                await self._clock.sleep_until(self._clock.monotonic() + fault.seconds)
                return None
        return fault

    def _next(self, at: Point, account: str, to: str) -> Fault | None:
        for number, fault in enumerate(self._faults):
            fits = fault.at is at and fault.account in ("", account) and fault.to in ("", to)
            if not fits or (fault.times is not None and self._seen[number] >= fault.skip + fault.times):
                continue
            self._seen[number] += 1
            if self._seen[number] > fault.skip:
                return fault
        return None

    @staticmethod
    def read(text: str) -> tuple[Fault, ...]:
        """Read faults from JSON: a list of objects with the fields of Fault. ValueError: it isn't one, and why."""
        return tuple(_fault(written) for written in json.loads(text))


def _fault(written: Any) -> Fault:
    if not isinstance(written, dict):
        raise ValueError('a fault is an object such as {"at": "message", "act": "cut"}')  # noqa: TRY004 -- a file's fault
    attrs = tuple((str(name), str(value)) for name, value in dict(written.pop("attrs", {})).items())
    try:
        return Fault(**{**written, "at": Point(written["at"]), "act": Act(written["act"]), "attrs": attrs})
    except (KeyError, TypeError) as error:
        raise ValueError(f"a fault is written wrongly: {error}") from error
