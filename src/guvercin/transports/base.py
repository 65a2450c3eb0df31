"""What every line to WhatsApp promises, and the small abilities that only some have.

An ability that a transport lacks is a protocol that it doesn't implement, asked with `isinstance`; it is never a method
that throws. The contract suite in tests/contracts holds every transport to these words.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from guvercin.core.account import Line
from guvercin.core.errors import Code
from guvercin.core.grant import Grant
from guvercin.core.outcome import Deferred, Evidence, Outcome, Refused, TransportEvent

Emit: TypeAlias = Callable[[TransportEvent], Awaitable[None]]
"""Hand one event in. It returns once the event is stored; only then may WhatsApp be told that we have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a transport can carry: `media` maps media types to their largest size in bytes; `max_text` is in letters."""

    max_text: int
    media: Mapping[str, int]
    receipts: bool
    concurrency: int = 1
    needs_template_outside_24h: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file to send: our own copy at `path`, and the name that the recipient sees.

    `digest` is the SHA-256 of its bytes in hex, by which a network may recognise it; null: not known.
    """

    path: Path
    name: str
    media_type: str
    size: int
    digest: str | None = None

    def obstacle(self) -> Refused | Deferred | None:
        """Answer why our copy can't be sent; null: it is there in its full size."""
        try:
            return None if self.path.stat().st_size == self.size else FILE_GONE
        except OSError as trouble:
            return file_trouble(trouble)


FILE_GONE = Refused(reason=Code.FILE_NOT_OPENED)
"""Our copy of a file is not there any more, or not whole."""

FILE_AWAY = Deferred(reason=Code.FILE_NOT_OPENED, pushed_back=False, retry_after=timedelta(seconds=30))
"""Our copy can't be read this moment: a disk or a shared drive is in trouble, or too many files are open."""


def file_trouble(trouble: OSError) -> Refused | Deferred:
    """Answer what trouble with our copy of a file means. Nothing of its message has left."""
    return FILE_GONE if isinstance(trouble, FileNotFoundError) else FILE_AWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message as a transport sees it. `secret` (32 bytes) marks this attempt, so that its traces can be found.

    `category`, `name` (the recipient's), `variables` (what else is known of the recipient, by folded name; null:
    nothing) and `heard_at` (when the recipient last wrote to us; null: never, as far as we know) are for lines on which
    not everything may be said at any time.

    `may_leave` is asked right before what can't be undone: false, and another machine may have taken the account. Then
    nothing leaves: a Deferred that is not pushed back.
    """

    message_id: int
    secret: bytes
    recipient: str
    text: str | None
    file: OutgoingFile | None = None
    category: int | None = None
    name: str | None = None
    heard_at: datetime | None = None
    variables: Mapping[str, str] | None = None
    may_leave: Callable[[], bool] = lambda: True


class Clock(Protocol):
    """The time as a transport needs it: it comes in as an argument, so that a test can choose the hour."""

    def now(self) -> datetime:
        """Answer the wall clock's time, aware and in UTC. It may jump either way."""
        ...

    def monotonic(self) -> float:
        """Answer seconds that only grow; their beginning means nothing."""
        ...

    async def sleep_until(self, monotonic: float) -> None:
        """Return once `monotonic()` has reached the given moment; at once (after letting others run) if it has."""
        ...


class Transport(Protocol):
    """One account's line to WhatsApp. Holds no queue, no retries, no database of ours."""

    @property
    def features(self) -> Features:
        """Say what this line can carry. Does no I/O."""
        ...

    async def run(self, emit: Emit, line: Line) -> None:
        """Dial once, and stay connected until the line is lost or the task is cancelled. `line` is what was last known.

        OPENED is told when sends are taken. The run returns once the line is gone and the event that says why (DROPPED,
        BANNED, LOGGED_OUT, NO_SESSION, BLOCKED) is stored: it never redials, the gateway decides when to run again.
        One run at a time; whatever the peer still owed when it ended (receipts above all) comes with a later run.

        Trouble is a LineEvent, never an exception; an exception means a bug or an `emit` that could not store, and the
        line is redialled. A receipt whose `emit` failed or was cut short is told again. Cancelling leaves no task.
        """
        ...

    async def send(self, message: Outgoing) -> Outcome:
        """Try exactly once. Never retries, never sleeps between tries; if unsure whether it left: Lost.

        While the line is not open it answers Deferred(LINE_DOWN, pushed_back=False), and nothing leaves.
        """
        ...

    async def unlink(self) -> None:
        """Forget the session at WhatsApp's side, where there is one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One hand-over as the log remembers it: enough to look for its traces."""

    message_id: int
    secret: bytes
    recipient: str
    started_at: datetime


@runtime_checkable
class KnowsWhatLeft(Protocol):
    """The ability to say afterwards whether an attempt left."""

    async def find(self, attempt: Attempt) -> Evidence:
        """Look for traces of an attempt. Accepted: it left. NeverLeft: proof that it did not. Unclear: can't say."""
        ...


class LinkState(StrEnum):
    """How far the linking of a phone has come."""

    NONE = "none"
    """Nothing is being linked."""

    STARTING = "starting"
    """The first code has not come yet."""

    SHOWING = "showing"
    """A code is good until `valid_until`."""

    LINKED = "linked"
    """A phone took the link."""

    TIMED_OUT = "timed_out"
    FAILED = "failed"

    PASSKEY = "passkey"
    """WhatsApp asks this phone for a step that only its own programs can take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is shown of a linking: one value, so that no code outlives its time or its state.

    `qr` is the text of the QR code, `code` what is typed on the phone; one of them while SHOWING, none otherwise.
    """

    state: LinkState
    qr: str | None = None
    code: str | None = None
    valid_until: datetime | None = None


@runtime_checkable
class Pairs(Protocol):
    """The ability to take a person's phone as its line, by a code that the person scans or types there."""

    @property
    def link(self) -> Link:
        """Answer how far linking has come. Does no I/O."""
        ...

    async def is_linked(self) -> bool:
        """Say whether there is a session already, as far as this machine knows."""
        ...

    async def pair(self, emit: Emit, phone: str | None) -> None:
        """Link a phone, then stay connected as `run` does. It keeps the words of `run`, and is one of the runs.

        `phone` (E.164) asks for a code to be typed on that phone; null shows QR codes. CODE is told for each code, then
        Linked and PAIRED, then OPENED. Or TIMED_OUT, or LOGGED_OUT with the reason: then no phone was linked.
        """
        ...


@runtime_checkable
class Erases(Protocol):
    """The ability to clear away what this machine holds for an account that is no more. No run is on."""

    async def erase(self) -> None:
        """Remove it all. Asked twice, or where nothing is, it does no harm."""
        ...


@runtime_checkable
class ChecksNumbers(Protocol):
    """The ability to say whether a number is on the network, without writing to it."""

    async def is_on_network(self, number: str) -> bool:
        """Answer from memory or ask. NOT_CONNECTED; CHECKS_SPENT: no more may be asked today."""
        ...


@runtime_checkable
class Probes(Protocol):
    """The ability to look at its own line this moment, instead of remembering what was last heard."""

    async def probe(self) -> bool:
        """Say whether the line takes sends right now. Answers within five seconds."""
        ...


@runtime_checkable
class IsGranted(Protocol):
    """The ability to know how much the network takes from this number, which may change while the line stands."""

    def granted(self) -> Grant | None:
        """Answer what the network grants now; null: it has not said yet. Does no I/O."""
        ...


@runtime_checkable
class MarksRead(Protocol):
    """The ability to let customers see that their message was read."""

    async def mark_read(self, remote_id: str) -> None:
        """Tell the network that we have read a message. NOT_CONNECTED; WHATSAPP_REFUSED: there is no such message."""
        ...


@runtime_checkable
class FetchesFiles(Protocol):
    """The ability to fetch the file of a message that came in, when somebody asks for it."""

    async def fetch(self, source: bytes, into: Path, *, limit: int) -> None:
        """Write a file, whole and checked, to `into`, which is there and empty. `source` as in `outcome.Inbound`.

        INBOUND_FILE_GONE, INBOUND_FILE_LARGE (over `limit` bytes), INBOUND_FILE_AWAY: then `into` holds anything.
        OSError: it can't be written.
        """
        ...


class HookFault(Enum):
    """Why a call of the network to us is not believed."""

    CLOSED = auto()
    """We have nothing to check it with."""
    NO_SIGNATURE = auto()
    WRONG_SIGNATURE = auto()
    BROKEN = auto()
    """Signed, and still not readable."""


@runtime_checkable
class ReceivesHooks(Protocol):
    """The ability to be told things by HTTP calls of the network, whether the line is open or not."""

    def greet(self, word: str, challenge: str) -> str | None:
        """Answer the network's first call: the challenge, if `word` is the one that its owner agreed on."""
        ...

    def read(self, body: bytes, signature: str | None) -> Sequence[TransportEvent] | HookFault:
        """Check who calls, and answer what was told. Does no I/O, and loses nothing: what it can't read is an event."""
        ...
