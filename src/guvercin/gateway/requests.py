"""What a caller asks of the gateway, and what it answers: plain values between API, terminal and Gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guvercin.core.account import Kind, OnUnknown
from guvercin.core.alert import Alert
from guvercin.core.batch import Batch, Counts
from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.errors import Code
from guvercin.core.event import Event, Standing
from guvercin.core.hook import HookEvent, Lag, Tally
from guvercin.core.log import Tried
from guvercin.core.message import Lane, Level, Message, WaitsFor
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.core.pacing import Gap
from guvercin.core.presets import Preset
from guvercin.gateway.outlook import LimitUse
from guvercin.transports.cloud.setup import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A client's promise that a repeat is the same request. `body_hash` is the SHA-256 of the canonical body."""

    method: str
    path: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePath:
    """A file on the server, named inside the configured roots."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that was uploaded before, by its id."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One message as its sender asked for it, unchecked. `planned_at` is aware; `lifetime` is wall-clock."""

    phone: str | int
    text: str | None
    name: str | None = None
    category: int = 10
    account_id: int | None = None
    reference: str | None = None
    planned_at: datetime | None = None
    lifetime: timedelta | None = None
    file: FilePath | UploadedFile | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRecipient:
    """One line of a bulk request. What is null here is as in the request itself."""

    phone: str | int
    name: str | None = None
    reference: str | None = None
    text: str | None = None
    file_path: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBatch:
    """A bulk request. `body_hash` recognises the same request sent again by a client that was cut off.

    `is_template`: the text and the file's path have places that each line fills; otherwise a brace is a brace.
    `is_of_customers`: its sender declares that everybody on the list is a customer of theirs (*mevcut*).
    `is_declared`: somebody was asked whether a text of a category for notices is no advertising, and said so; null:
    nobody could be asked.
    """

    recipients: Sequence[AskRecipient]
    text: str
    is_template: bool = False
    file_path: str | None = None
    body_hash: bytes
    category: int = 10
    account_id: int | None = None
    reference: str | None = None
    planned_at: datetime | None = None
    lifetime: timedelta | None = None
    is_of_customers: bool = False
    is_declared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where an accepted message stands when its caller stops waiting.

    `waits_for`: of a caller who was ready to wait, why it doesn't leave now, where something stands in its way; and
    until when, where that is known.
    `replayed`: answered by an Idempotency-Key; `repeated`: by the guard against keyless retries.
    """

    standing: Standing
    is_sandbox: bool
    waits_for: WaitsFor | Code | None = None
    waits_until: datetime | None = None
    replayed: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch with its counts, true at one moment, and the forecast of its end (null: finished, or nothing moves).

    `waits_for`: what its account's rules make it wait for now, until `waits_until`.
    """

    batch: Batch
    counts: Counts
    finish_at: datetime | None
    is_sandbox: bool
    replayed: bool = False
    repeated: bool = False
    waits_for: WaitsFor | None = None
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A message with everything that happened to it."""

    message: Message
    is_sandbox: bool
    attempts: Sequence[Tried]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAsk:
    """What an owner tells of a Cloud account; null leaves a value as it is. Secrets don't show when it is printed."""

    number_id: str | None = None
    business_id: str | None = None
    access_token: str | None = field(default=None, repr=False)
    app_secret: str | None = field(default=None, repr=False)
    verify_token: str | None = field(default=None, repr=False)
    templates: Mapping[int, Template] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to add. `cloud`: what a Cloud account needs, and no other kind."""

    name: str
    kind: Kind
    cloud: CloudAsk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapsChange:
    """What to change of the caps within one window."""

    all: int | None = None
    existing: int | None = None
    new: int | None = None


NO_CAPS = CapsChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class MannersChange:
    """What to change of an account's manners; null leaves a value alone, empty takes it away."""

    keeps_notices: bool | None = None
    sender_title: str | None = None
    repeat_guard: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What to change of an account; null leaves a value alone. Gaps are given lane by lane.

    `preset`: a ready pace, which the rest then changes.
    """

    name: str | None = None
    gaps: Mapping[Lane, Gap] = field(default_factory=dict)
    preset: Preset | None = None
    known_gap: Gap | None = None
    new_gap: Gap | None = None
    hourly: CapsChange = NO_CAPS
    daily: CapsChange = NO_CAPS
    monthly_new: int | None = None
    keeps_quiet: bool | None = None
    on_unknown: OnUnknown | None = None
    cloud: CloudAsk | None = None
    manners: MannersChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptOut:
    """A refusal to keep, unchecked. `account_id` null: for every account."""

    phone: str | int
    scope: OptOutScope = OptOutScope.EVERYTHING
    source: OptOutSource = OptOutSource.API
    account_id: int | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskConsent:
    """A consent to keep, unchecked. `given_at` is aware; `proof_id`: an uploaded file."""

    phone: str | int
    source: ConsentSource
    given_at: datetime
    recipient_kind: RecipientKind = RecipientKind.PERSON
    text_version: str | None = None
    proof_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryChange:
    """What to change of a category; null leaves a value alone."""

    code: str | None = None
    name: str | None = None
    is_commercial: bool | None = None
    keeps_quiet_hours: bool | None = None
    lifetime: timedelta | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file, usable instead of a path by its id."""

    id: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether new messages can be accepted, and what stands in the way."""

    is_ready: bool
    troubles: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a token with a request limit has left of this minute."""

    limit: int
    remaining: int
    resets_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAsk:
    """An address as its owner asked for it, or what changes of one: null is not asked for."""

    url: str | None = None
    events: Sequence[HookEvent] | None = None
    account_ids: Sequence[int] | None = None
    secret: str | None = None
    is_open: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What those who watch over the whole see beside the queues. `unwritten`: changes that wait for the disk.

    `running`: accounts that this gateway runs, of several perhaps its share.
    `limits`: what each account that keeps rules has used of them, by its id.
    """

    lags: Sequence[Lag]
    tally: Tally
    alerts: Sequence[Alert]
    unwritten: int
    running: int
    limits: Mapping[int, Sequence[LimitUse]]
