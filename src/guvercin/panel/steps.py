"""The way of one message, step by step: four of them where all goes well, and what happened in between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.core.event import Event, EventKind
from guvercin.core.message import Status
from guvercin.gateway.requests import History
from guvercin.locale import sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import STATUSES


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `state`: `done`, `now`, `next`, `bad` or `doubt`; `word` is a sentence of the catalogue."""

    word: str
    state: str
    at: datetime | None = None


_WAY = (Status.QUEUED, Status.SENT, Status.DELIVERED, Status.READ)


def of(history: History) -> Sequence[Step]:
    """Answer the four steps of a message, and where it stands on them."""
    message = history.message
    times = {
        Status.QUEUED: message.created_at,
        Status.SENT: message.sent_at,
        Status.DELIVERED: message.delivered_at or message.read_at,
        Status.READ: message.read_at,
    }
    at = message.status
    if at in {Status.FAILED, Status.CANCELLED, Status.UNKNOWN}:
        reached = [status for status in _WAY if times[status] is not None]
        state = "doubt" if at is Status.UNKNOWN else "bad"
        return [
            *(Step(STATUSES[status.value], "done", times[status]) for status in reached),
            Step(STATUSES[at.value], state),
        ]
    place = 0 if at in {Status.QUEUED, Status.SENDING} else _WAY.index(at)
    found = []
    for number, status in enumerate(_WAY):
        state = "done" if number < place or (number == place and number > 0) else "now" if number == place else "next"
        found.append(Step(STATUSES[status.value], state, times[status] if number <= place else None))
    return found


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a message's history. `note` and `todo` are sentences of the catalogue, empty if there is none."""

    at: datetime
    word: str
    kind: str
    note: str = ""
    todo: str = ""
    code: str = ""


_WORDS: Mapping[EventKind, tuple[str, str]] = MappingProxyType(
    {
        EventKind.MESSAGE_ACCEPTED: (STATUSES["queued"], "done"),
        EventKind.MESSAGE_CLAIMED: (STATUSES["sending"], "done"),
        EventKind.MESSAGE_DEFERRED: (sentence("Put off"), "wait"),
        EventKind.MESSAGE_SENT: (STATUSES["sent"], "done"),
        EventKind.MESSAGE_DELIVERED: (STATUSES["delivered"], "done"),
        EventKind.MESSAGE_READ: (STATUSES["read"], "done"),
        EventKind.MESSAGE_FAILED: (STATUSES["failed"], "bad"),
        EventKind.MESSAGE_UNKNOWN: (STATUSES["unknown"], "doubt"),
        EventKind.MESSAGE_CANCELLED: (STATUSES["cancelled"], "bad"),
        EventKind.MESSAGE_RELEASED: (sentence("Back in line"), "done"),
        EventKind.MESSAGE_HELD: (sentence("Held"), "wait"),
    },
)


def happenings(history: History) -> Sequence[Happening]:
    """Answer everything that happened to a message, oldest first."""
    found = []
    for event in history.events:
        word, kind = _WORDS.get(event.kind, (event.kind.value, "done"))
        code = _code(event)
        words = WORDS.get(code) if code is not None else None
        found.append(
            Happening(
                at=event.at,
                word=word,
                kind=kind,
                note=words.detail if words else "",
                todo=words.todo if words and kind in {"bad", "doubt"} else "",
                code=code.value if code else "",
            )
        )
    return found


def _code(event: Event) -> Code | None:
    named = event.detail.get("neden")
    return Code(named) if named in set(Code) else None
