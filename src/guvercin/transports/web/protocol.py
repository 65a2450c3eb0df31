"""What goes over the pipe between the gateway and a worker: one JSON object a line, typed on both sides.

Laws
1. Hello is a worker's first word and carries VERSION; another version is another program, and is not spoken to.
2. A line is one dataclass of the unions below; a line that isn't one raises ProtocolError and is never guessed at.
3. Several accounts may share a worker: a line names the seat of its account (its folder's name). Hello and Stop are the
   process's own and name none.
4. Whatever must survive the process (receipts, inbound messages, answers) goes through the journal, not through here:
   on the pipe a `Bell` says that the journal has grown.
"""

import base64
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

import orjson

VERSION = 4

LOCK = "worker.lock"
"""The file in an account's folder whose lock says that a worker has it in use."""


class ProtocolError(Exception):
    """A line that nobody of this version wrote."""


# -- commands: gateway -> worker. `id` names the call, and its answer bears it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Dial. `jid` («905321234567:12@s.whatsapp.net») is the session to resume; null links a new one by QR.

    `until` is the moment of the machine's monotonic clock at which the account's time is over; null: it has no end.
    """

    id: int
    jid: str | None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolong:
    """Use the account for longer, until this moment. Without such a word the worker ends when the time is over."""

    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCode:
    """Ask for a pairing code for this phone (E.164), once the first QR text has come. PairingCode or Failed answers."""

    id: int
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one message, once. `secret` (32 bytes) goes into it. Answered by Sent or Failed, journalled before that."""

    id: int
    recipient: str
    secret: bytes
    text: str | None
    file: str | None = None
    file_name: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Ask whether a number (E.164) is on WhatsApp. Answered by Checked or Failed."""

    id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Fetch a message's file (`source` as in Wrote) and write it to `path`. Answered by Done or Failed."""

    id: int
    source: bytes
    path: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink:
    """Log out at WhatsApp's side. Answered by Done or Failed."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Ask the library itself whether it is connected: a worker that hangs can't answer. Answered by Pong."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Close the account's connection, and let go of its folder. Left answers, once nothing of it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Close every connection and end the process."""


Command: TypeAlias = Connect | Prolong | AskCode | Send | Check | Fetch | Unlink | Ping | Leave | Stop


# -- answers: worker -> gateway, one for each call


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """WhatsApp acknowledged the message. `left_out`: the recipient's own phone could not be encrypted to."""

    id: int
    remote_id: str
    at: datetime
    left_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A call did not succeed; `error` is the library's own text (errors.py reads it). It never leaves this package."""

    id: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """The pairing code («ABCD-EFGH») to type on the phone."""

    id: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a number is on WhatsApp."""

    id: int
    is_registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done; there is nothing to tell."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """What the library says of itself this moment."""

    id: int
    is_connected: bool
    is_logged_in: bool


Answer: TypeAlias = Sent | Failed | PairingCode | Checked | Done | Pong


# -- reports: worker -> gateway, by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first word: this protocol's version, and the engine's."""

    version: int
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """The journal has grown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Another worker still holds the account's folder; this one tries again until it is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The account's folder is this worker's: nobody else writes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qr:
    """The text of the QR code to show from now on; the one before is void."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How linking ended, or what stands in its way: the library's own word («timeout», «passkey-request», «err-…»)."""

    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A phone took the link. `jid` as in Connect."""

    jid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Signed in: sends are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The socket is gone, or answers no more; the library dials again by itself for a while."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The socket answers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut:
    """WhatsApp ended the session. `reason` is the library's name of it; `on_connect`: told at a sign-in."""

    reason: str
    on_connect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Another client opened this very session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banned:
    """A temporary ban. `reason` is the library's name, null for one that it doesn't know; `seconds` null: unstated."""

    reason: str | None
    seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """WhatsApp doesn't take this version of the engine any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused:
    """WhatsApp refused the sign-in for another reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """An event that the library can't pass on ended its event delivery; the worker has begun it anew."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The library's connection came to its end; nothing more will be heard of it. `error` empty: it was asked to."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The account's seat is free."""


Report: TypeAlias = (
    Hello
    | Bell
    | Waits
    | Holds
    | Qr
    | Linking
    | Linked
    | Opened
    | Dropped
    | Restored
    | LoggedOut
    | Replaced
    | Banned
    | Outdated
    | SignInRefused
    | Poisoned
    | Ended
    | Left
)


# -- the journal's entries


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHeard:
    """A receipt. `kind` is the library's name in capitals; `from_me`: one of our own devices sent it."""

    remote_ids: tuple[str, ...]
    kind: str
    from_me: bool
    at: datetime


TOO_LARGE = "too large to fetch"
"""The worker's own word for a file beyond the limit of a Fetch."""

HAS_LEFT = "the account has left this process"
"""The worker's own word for a call to an account that it has no more."""

HIDDEN = "@lid"
"""How the address of a person ends who wrote without a number: WhatsApp's own, the same in every chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """Somebody wrote to us. `sender` is E.164, or an address that ends in HIDDEN; `text` is empty for what has none.

    `kind` is a word of InboundKind; `media_type`, `file_name` and `file_size` (bytes) tell of a file, null is what
    wasn't said. `source` is the message again with nothing but the way to its file, for Fetch. An entry of an older
    program ends with `at`.
    """

    remote_id: str
    sender: str
    text: str
    at: datetime
    kind: str = "metin"
    name: str | None = None
    media_type: str | None = None
    file_name: str | None = None
    file_size: int | None = None
    source: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WroteOurselves:
    """The owner wrote to `recipient` (E.164, empty if unknown) on the phone itself, or on another device."""

    remote_id: str
    recipient: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquainted:
    """The phone's history holds a message from this number (E.164)."""

    number: str
    last_inbound_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionHeard:
    """WhatsApp forbids the account something, or no more. `until` null: unstated.

    `what` is NEW_CHATS, MONTHLY or MONTHLY_WARNING.
    """

    what: str
    is_active: bool
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a send: the id that WhatsApp acknowledged, or the library's error."""

    secret: bytes
    remote_id: str | None
    error: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNotKept:
    """The engine could not write a message's secret down: from here on its absence proves nothing."""

    at: datetime


Entry: TypeAlias = ReceiptHeard | Wrote | WroteOurselves | Acquainted | RestrictionHeard | Answered | SecretNotKept

COMMANDS: tuple[type, ...] = get_args(Command)
FROM_WORKER: tuple[type, ...] = (*get_args(Answer), *get_args(Report))
ENTRIES: tuple[type, ...] = get_args(Entry)


class Spoken(NamedTuple):
    """What came over the pipe, and whose it is; `seat` is empty for what is the process's own."""

    seat: str
    word: Any


def encode(value: Command | Answer | Report | Entry, seat: str = "") -> bytes:
    """Write one value as a line, its newline included."""
    written: dict[str, Any] = {"type": type(value).__name__} | ({"seat": seat} if seat else {})
    for each in fields(value):
        written[each.name] = _write(getattr(value, each.name))
    return orjson.dumps(written, option=orjson.OPT_APPEND_NEWLINE)


def decode_command(line: bytes) -> Spoken:
    """Read a line of the gateway."""
    return _decode(line, COMMANDS)


def decode_from_worker(line: bytes) -> Spoken:
    """Read a line of a worker."""
    return _decode(line, FROM_WORKER)


def decode_entry(line: bytes) -> Entry:
    """Read a line of the journal."""
    entry: Entry = _decode(line, ENTRIES).word
    return entry


def _decode(line: bytes, kinds: tuple[type, ...]) -> Spoken:
    try:
        written = orjson.loads(line)
        kind = _named(kinds)[written.pop("type")]
        seat = _read(str, written.pop("seat", ""))
        hints = _hints(kind)
        if not _needed(kind) <= written.keys() <= hints.keys():
            raise ProtocolError(f"{kind.__name__} has other fields")
        return Spoken(seat, kind(**{name: _read(hints[name], value) for name, value in written.items()}))
    except (ValueError, TypeError, LookupError, AttributeError) as trouble:
        raise ProtocolError(type(trouble).__name__) from trouble


@cache
def _named(kinds: tuple[type, ...]) -> dict[str, type]:
    return {kind.__name__: kind for kind in kinds}


@cache
def _needed(kind: type) -> frozenset[str]:
    """Answer the fields that a line must have: the others were added later, and older journals lack them."""
    return frozenset(each.name for each in fields(kind) if each.default is MISSING)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def _read(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        if value is None:
            return None
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        return tuple(_read(str, part) for part in value)
    if hint is bytes:
        return base64.b64decode(value, validate=True)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if type(value) is not hint:
        raise TypeError(hint)
    return value
