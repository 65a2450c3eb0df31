"""From the domain's values to the answers of the wire, and the headers that go with them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Literal

from starlette.responses import Response

from guvercin.api.answers import (
    AccountAnswer,
    AccountList,
    AccountRecord,
    AccountRow,
    Action,
    Answered,
    AttemptRecord,
    BatchAnswer,
    BatchGroups,
    BatchPage,
    BatchRecord,
    BatchSent,
    BatchStanding,
    CapsRecord,
    CategoryAnswer,
    CategoryList,
    CategoryRow,
    DeliveryPage,
    DeliveryRecord,
    EventRecord,
    GapRecord,
    GapRecords,
    HealthAnswer,
    HealthRecord,
    HookAnswer,
    HookList,
    HookRecord,
    LimitRecords,
    LimitUseRecord,
    LineStatus,
    LinkAnswer,
    LinkProgress,
    LinkRecord,
    LookupAnswer,
    LookupRecord,
    MessageHistory,
    MessageHistoryAnswer,
    MessagePage,
    MessageRecord,
    MessageSent,
    MessageStanding,
    MessageStatus,
    MessageStatusAnswer,
    NewHookAnswer,
    NewHookRecord,
    RestrictionRecord,
    TrialAnswer,
    TrialRecord,
    UnclearList,
    UnclearRecord,
    UploadAnswer,
)
from guvercin.api.wire import LEVELS, ListedStatus, Urgency
from guvercin.core.account import Account, Kind, LineState
from guvercin.core.call import CallTrouble
from guvercin.core.category import Category
from guvercin.core.errors import Code
from guvercin.core.event import Event
from guvercin.core.hook import Delivery, Hook, notice_id
from guvercin.core.log import Tried, Unclear
from guvercin.core.message import WITH_WHATSAPP, Lane, Level, Message, Status, WaitsFor
from guvercin.core.pacing import ALL, EXISTING, NEW, Caps, Gap, Pace, Rules
from guvercin.core.presets import name_of
from guvercin.core.restriction import Restriction
from guvercin.gateway.hooks import Trial
from guvercin.gateway.lines import Health, Linking, Lookup
from guvercin.gateway.outlook import LimitUse, RulesUse
from guvercin.gateway.requests import BatchView, History, Sent, Upload
from guvercin.locale import Translator
from guvercin.locale.terms import CALLS
from guvercin.transports.base import LinkState

PREFIX = "/api/v1/whatsapp"


def reply(answer: Answered, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a model as its JSON: UTF-8, nothing escaped that need not be."""
    body = answer.__pydantic_serializer__.to_json(answer, by_alias=True)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def marks(*, is_sandbox: bool, is_replayed: bool = False, is_repeated: bool = False) -> dict[str, str]:
    """Answer the headers that say how an answer is to be read: played by the simulator, or given before."""
    headers = {}
    if is_sandbox:
        headers["X-Guvercin-Deneme"] = "1"
    if is_replayed:
        headers["Idempotency-Replayed"] = "true"
    if is_repeated:
        headers["Tekrar"] = "1"
    return headers


def clock_time(at: datetime, zone: tzinfo) -> str:
    """Write a moment as the seed does: wall-clock time of the configured zone."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")


def iso_time(at: datetime, zone: tzinfo) -> str:
    """Write a moment with its offset."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def message_sent(sent: Sent, zone: tzinfo) -> MessageSent:
    """Answer a message for a caller who waited: the seed's three keys, and `durum` while it is not acknowledged."""
    standing = sent.standing
    if standing.status in WITH_WHATSAPP:
        return MessageSent(ok=True, log_id=standing.id, message_id=standing.remote_id)
    return message_standing(sent, zone)


def message_standing(sent: Sent, zone: tzinfo) -> MessageStanding:
    """Answer where a message stands, whatever its status, and what it waits for, if it does."""
    standing = sent.standing
    return MessageStanding(
        ok=True,
        log_id=standing.id,
        message_id=standing.remote_id,
        status=_wire_status(standing.status, standing.waits_for),
        reason=sent.waits_for,
        waits_until=sent.waits_until and clock_time(sent.waits_until, zone),
    )


def batch_sent(view: BatchView, zone: tzinfo) -> BatchSent:
    """Answer a batch for a caller who waited: the seed's keys, and where to look while something is still open.

    A finished batch with rows in doubt has the longer answer too: total = sent + failed + queued holds always.
    """
    counts = view.counts
    if not counts.queued:
        return BatchSent(ok=True, total=counts.total, sent=counts.sent, failed=counts.failed)
    return BatchStanding(
        ok=True,
        total=counts.total,
        sent=counts.sent,
        failed=counts.failed,
        queued=counts.queued,
        batch_id=view.batch.id,
        status_url=batch_url(view.batch.id),
        finish_at=view.finish_at and clock_time(view.finish_at, zone),
    )


def batch_accepted(view: BatchView) -> BatchSent:
    """Answer a batch to a token whose owner chose that what was accepted is counted as sent (`toplu_yanit=kabul`)."""
    counts = view.counts
    return BatchSent(ok=True, total=counts.total, sent=counts.total - counts.failed, failed=counts.failed)


def message_url(log_id: int) -> str:
    """Answer where a message's status is found."""
    return f"{PREFIX}/durum/{log_id}"


def batch_url(batch_id: int) -> str:
    """Answer where a batch is found."""
    return f"{PREFIX}/toplu/{batch_id}"


def message_status(message: Message, zone: tzinfo, *, is_sandbox: bool) -> MessageStatusAnswer:
    """Answer `durum` of a message."""
    return MessageStatusAnswer(ok=True, data=MessageStatus(**_status(message, zone, is_sandbox=is_sandbox)))


def message_page(messages: Iterable[tuple[Message, bool]], cursor: str | None, zone: tzinfo) -> MessagePage:
    """Answer one page of messages, each with whether the sandbox carries it."""
    rows = [MessageRecord(**_record(message, zone, is_sandbox=is_sandbox)) for message, is_sandbox in messages]
    return MessagePage(ok=True, data=rows, next=cursor)


def message_history(history: History, zone: tzinfo) -> MessageHistoryAnswer:
    """Answer a message with its timeline."""
    record = _record(history.message, zone, is_sandbox=history.is_sandbox)
    tries = [_attempt(tried, zone) for tried in history.attempts]
    events = [_event(event, zone) for event in history.events]
    return MessageHistoryAnswer(ok=True, data=MessageHistory(**record, tries=tries, events=events))


def batch_answer(view: BatchView, zone: tzinfo, *, reason: str | None) -> BatchAnswer:
    """Answer one batch. `reason` says why nothing moves, where something stands in the way."""
    return BatchAnswer(ok=True, data=batch_record(view, zone, reason=reason))


def batch_page(views: Iterable[tuple[BatchView, str | None]], after: str | None, zone: tzinfo) -> BatchPage:
    """Answer a page of batches, each with the reason why it waits."""
    return BatchPage(ok=True, data=[batch_record(view, zone, reason=reason) for view, reason in views], after=after)


def _batch_status(view: BatchView) -> Literal["running", "paused", "cancelled", "finished"]:
    if view.batch.cancelled_at is not None:
        return "cancelled"
    if view.counts.is_finished:
        return "finished"
    return "running" if view.batch.paused_at is None else "paused"


def batch_record(view: BatchView, zone: tzinfo, *, reason: str | None) -> BatchRecord:
    """Answer what is told of a batch."""
    counts = view.counts
    by_status = {status.value: counts.of(status) for status in Status}
    by_status["queued"] -= counts.scheduled
    return BatchRecord(
        id=view.batch.id,
        status=_batch_status(view),
        total=counts.total,
        sent=counts.sent,
        failed=counts.failed,
        queued=counts.queued,
        groups=BatchGroups(**by_status, scheduled=counts.scheduled),
        finish_at=view.finish_at and clock_time(view.finish_at, zone),
        finish_at_iso=view.finish_at and iso_time(view.finish_at, zone),
        reason=reason,
        waits_until=view.waits_until and clock_time(view.waits_until, zone) if reason == view.waits_for else None,
        account_id=view.batch.account_id,
        category=view.batch.category,
        created_at=clock_time(view.batch.created_at, zone),
        created_at_iso=iso_time(view.batch.created_at, zone),
        is_sandbox=True if view.is_sandbox else None,
    )


def account_list(accounts: Sequence[Account], zone: tzinfo, now: datetime) -> AccountList:
    """Answer the accounts."""
    return AccountList(ok=True, data=[AccountRow(**_account(account, zone, now)) for account in accounts])


def account_record(account: Account, zone: tzinfo, now: datetime) -> AccountAnswer:
    """Answer one account with what its owner may change."""
    guard = account.manners.repeat_guard
    return AccountAnswer(
        ok=True,
        data=AccountRecord(
            **_account(account, zone, now),
            is_enabled=account.is_enabled,
            gaps=_gaps(account.pace),
            preset=name_of(account.pace),
            limits=None if account.pace.rules is None else _limits(account.pace.rules),
            keeps_quiet=account.pace.rules is not None and account.pace.rules.keeps_quiet,
            on_unknown=account.on_unknown,
            keeps_notices=account.manners.keeps_notices,
            sender_title=account.manners.sender_title,
            repeat_guard_hours=guard and guard // timedelta(hours=1),
            created_at=clock_time(account.created_at, zone),
            created_at_iso=iso_time(account.created_at, zone),
        ),
    )


def _gaps(pace: Pace) -> GapRecords:
    rules = pace.rules
    return GapRecords(
        single=_gap(pace.gaps[Lane.SINGLE]),
        bulk=_gap(pace.gaps[Lane.BULK]),
        known=None if rules is None else _gap(rules.known),
        new=None if rules is None else _gap(rules.new),
    )


def _limits(rules: Rules) -> LimitRecords:
    def caps(one: Caps | None) -> CapsRecord | None:
        return None if one is None else CapsRecord(all=one.all, existing=one.existing, new=one.new)

    return LimitRecords(hourly=caps(rules.hourly), daily=caps(rules.daily), monthly_new=rules.monthly_new)


def _gap(gap: Gap) -> GapRecord:
    return GapRecord(least=gap.least.total_seconds(), most=gap.most.total_seconds())


def upload(stored: Upload) -> UploadAnswer:
    """Answer an uploaded file."""
    return UploadAnswer(ok=True, id=stored.id, name=stored.name, media_type=stored.media_type, size=stored.size)


_URGENCY: Mapping[Level, Urgency] = MappingProxyType({level: word for word, level in LEVELS.items()})


def category_list(categories: Iterable[Category]) -> CategoryList:
    """Answer the categories."""
    return CategoryList(ok=True, data=[_category(each) for each in categories])


def category_answer(category: Category) -> CategoryAnswer:
    """Answer one category."""
    return CategoryAnswer(ok=True, data=_category(category))


def _category(category: Category) -> CategoryRow:
    return CategoryRow(
        id=category.id,
        code=category.code,
        name=category.name,
        is_commercial=category.is_commercial,
        keeps_quiet_hours=category.keeps_quiet_hours,
        lifetime_minutes=category.lifetime // timedelta(minutes=1),
        level=_URGENCY[category.level],
    )


_SHUT_OUT = frozenset({Code.LOCKED, Code.CLOSED})
"""Blocks that are WhatsApp's verdict on the account."""


def line_status(account: Account, now: datetime) -> LineStatus:
    """Answer the state of an account's line in the wire's words."""
    if account.line.is_connected(now):
        return "connected"
    match account.line.state:
        case LineState.CONNECTING | LineState.WAITING:
            return "connecting"
        case LineState.PAIRING:
            return "pairing"
        case LineState.BANNED:
            return "banned"
        case LineState.BLOCKED if account.line.code in _SHUT_OUT:
            return "banned"
        case _:
            return "disconnected"


_ACTIONS: Mapping[LineState, Action] = MappingProxyType(
    {
        LineState.STOPPED: "devam",
        LineState.BANNED: "bekle",
        LineState.LOGGED_OUT: "bagla",
        LineState.PAIRING: "bagla",
        LineState.BLOCKED: "telefona_bak",
    },
)


_ACTIONS_OF_CODES: Mapping[Code, Action] = MappingProxyType(
    {
        Code.OPENED_ELSEWHERE: "devam",
        Code.ENGINE_OUTDATED: "guncelle",
        Code.NO_DELIVERIES: "telefona_bak",
        Code.NEW_CHATS_RESTRICTED: "bekle",
        Code.TEMPLATE_STOPPED: "metaya_bak",
    },
)
"""What wants another action than the state of its line alone."""


def _action(account: Account) -> Action | None:
    """Answer what a person has to do about a line that is not as it should be."""
    if account.kind is Kind.CLOUD and account.line.state is LineState.BLOCKED:
        return "metaya_bak"
    of_code = None if account.line.code is None else _ACTIONS_OF_CODES.get(account.line.code)
    return of_code or _ACTIONS.get(account.line.state)


_PROGRESS: Mapping[LinkState, LinkProgress] = MappingProxyType(
    {
        LinkState.NONE: "yok",
        LinkState.STARTING: "hazirlaniyor",
        LinkState.SHOWING: "gosteriliyor",
        LinkState.LINKED: "baglandi",
        LinkState.TIMED_OUT: "suresi_doldu",
        LinkState.FAILED: "olmadi",
        LinkState.PASSKEY: "olmadi",
    },
)


def linking(found: Linking, zone: tzinfo) -> LinkAnswer:
    """Answer how linking stands."""
    link, account = found.link, found.account
    has_ended = link.state in {LinkState.TIMED_OUT, LinkState.FAILED, LinkState.PASSKEY}
    return LinkAnswer(
        ok=True,
        data=LinkRecord(
            state=_PROGRESS[link.state],
            qr=link.qr,
            code=link.code,
            valid_until=link.valid_until and clock_time(link.valid_until, zone),
            valid_until_iso=link.valid_until and iso_time(link.valid_until, zone),
            phone=account.phone,
            is_default=account.is_default,
            reason=account.line.code if has_ended else None,
        ),
    )


_COUNTED: Mapping[str, Literal["hepsi", "mevcut", "yeni"]] = MappingProxyType(
    {ALL: "hepsi", EXISTING: "mevcut", NEW: "yeni"}
)


def _limit_use(one: LimitUse) -> LimitUseRecord:
    limit = one.limit
    return LimitUseRecord(
        name=limit.word,
        counts=_COUNTED[limit.group],
        hours=limit.window // 3_600_000,
        used=one.used,
        most=limit.most,
    )


def _restriction(one: Restriction, zone: tzinfo) -> RestrictionRecord:
    return RestrictionRecord(what=one.kind, code=one.code, until=one.until and clock_time(one.until, zone))


def health(found: Health, use: RulesUse | None, zone: tzinfo) -> HealthAnswer:
    """Answer how a line is. One that says it stands and doesn't answer is connecting, whatever was last heard."""
    account = found.account
    status = line_status(account, found.looked_at)
    if status == "connected" and not found.is_alive:
        status = "connecting"
    row = _account(account, zone, found.looked_at)
    return HealthAnswer(
        ok=True,
        data=HealthRecord(
            id=account.id,
            status=status,
            is_alive=found.is_alive,
            looked_at=clock_time(found.looked_at, zone),
            code=row["code"],
            action=row["action"],
            since=clock_time(account.line.since, zone),
            until=account.line.until and clock_time(account.line.until, zone),
            until_iso=account.line.until and iso_time(account.line.until, zone),
            connected_at=row["connected_at"],
            limits=[] if use is None else [_limit_use(one) for one in use.limits],
            warm_days=None if use is None else use.warm_days,
            restrictions=[] if use is None else [_restriction(one, zone) for one in use.restrictions],
        ),
    )


def lookup(found: Lookup) -> LookupAnswer:
    """Answer whether a number is on WhatsApp."""
    return LookupAnswer(
        ok=True,
        data=LookupRecord(phone=found.number, is_registered=found.is_registered, account_id=found.account.id),
    )


def unclear(found: Sequence[Unclear], zone: tzinfo) -> UnclearList:
    """Answer what nobody understood."""
    rows = [
        UnclearRecord(at=clock_time(each.at, zone), at_iso=iso_time(each.at, zone), what=each.what, body=each.body)
        for each in found
    ]
    return UnclearList(ok=True, data=rows)


def _account(account: Account, zone: tzinfo, now: datetime) -> dict[str, Any]:
    line = account.line
    is_told = line.state is LineState.CONNECTED or not line.is_connected(now)
    return {
        "id": account.id,
        "name": account.name,
        "phone": account.phone,
        "status": line_status(account, now),
        "is_default": account.is_default,
        "kind": account.kind,
        "code": line.code if is_told else None,
        "action": _action(account) if is_told else None,
        "connected_at": line.connected_at and clock_time(line.connected_at, zone),
    }


def _wire_status(status: Status, waits_for: WaitsFor | None) -> ListedStatus:
    if status is Status.QUEUED and waits_for is WaitsFor.TIME:
        return ListedStatus.SCHEDULED
    return ListedStatus(status.value)


def _status(message: Message, zone: tzinfo, *, is_sandbox: bool) -> dict[str, Any]:
    return {
        "id": message.id,
        "status": _wire_status(message.status, message.waits_for),
        "recipient": message.recipient,
        "sent_at": message.sent_at and clock_time(message.sent_at, zone),
        "sent_at_iso": message.sent_at and iso_time(message.sent_at, zone),
        "message_id": message.remote_id,
        "reason": message.waits_for or message.reason,
        "waits_until": message.waits_until and clock_time(message.waits_until, zone) if message.waits_for else None,
        "delivered_at": message.delivered_at and clock_time(message.delivered_at, zone),
        "read_at": message.read_at and clock_time(message.read_at, zone),
        "name": message.recipient_name,
        "category": message.category,
        "account_id": message.account_id,
        "batch_id": message.batch_id,
        "reference": message.reference,
        "attempts": message.attempts,
        "is_sandbox": True if is_sandbox else None,
    }


def _record(message: Message, zone: tzinfo, *, is_sandbox: bool) -> dict[str, Any]:
    planned_at = message.due_at if message.due_at > message.created_at else None
    file = message.content.file
    return {
        **_status(message, zone, is_sandbox=is_sandbox),
        "text": message.content.text,
        "file_name": file and file.name,
        "created_at": clock_time(message.created_at, zone),
        "created_at_iso": iso_time(message.created_at, zone),
        "planned_at": planned_at and clock_time(planned_at, zone),
        "planned_at_iso": planned_at and iso_time(planned_at, zone),
        "expires_at": clock_time(message.expires_at, zone),
        "expires_at_iso": iso_time(message.expires_at, zone),
        "warning": message.warning,
        "resend_of": message.resend_of,
    }


def _attempt(tried: Tried, zone: tzinfo) -> AttemptRecord:
    return AttemptRecord(
        started_at=clock_time(tried.started_at, zone),
        ended_at=tried.ended_at and clock_time(tried.ended_at, zone),
        outcome=tried.outcome,
        reason=tried.reason,
        detail=tried.detail,
    )


def _event(event: Event, zone: tzinfo) -> EventRecord:
    return EventRecord(at=clock_time(event.at, zone), kind=event.kind, detail=dict(event.detail))


def new_hook(hook: Hook, secret: str, message: str) -> NewHookAnswer:
    """Answer a hook with its secret, the one time that it is told."""
    record = NewHookRecord(id=hook.id, url=hook.url, events=sorted(hook.events), secret=secret)
    return NewHookAnswer(success=True, data=record, message=message)


def hook_list(hooks: Iterable[Hook], zone: tzinfo) -> HookList:
    """Answer the hooks."""
    return HookList(success=True, data=[_hook(hook, zone) for hook in hooks])


def hook_record(hook: Hook, zone: tzinfo) -> HookAnswer:
    """Answer one hook."""
    return HookAnswer(success=True, data=_hook(hook, zone))


def _hook(hook: Hook, zone: tzinfo) -> HookRecord:
    return HookRecord(
        id=hook.id,
        url=hook.url,
        events=sorted(hook.events),
        status=hook.state,
        accounts=None if hook.account_ids is None else sorted(hook.account_ids),
        reason=hook.closed_for,
        failing_since=hook.failing_since and clock_time(hook.failing_since, zone),
        delivered_at=hook.delivered_at and clock_time(hook.delivered_at, zone),
        created_at=clock_time(hook.created_at, zone),
        created_at_iso=iso_time(hook.created_at, zone),
    )


def trial(tried: Trial, say: Translator) -> TrialAnswer:
    """Answer what came of trying a hook out."""
    called = tried.called
    record = TrialRecord(
        is_taken=called.trouble is None,
        status=called.status,
        reason=called.trouble,
        message=None if called.trouble is None else say(CALLS[called.trouble]),
        took_ms=int(called.took.total_seconds() * 1_000),
        sent=tried.body.decode(),
        answered=called.shown,
    )
    return TrialAnswer(success=True, data=record)


def delivery_page(deliveries: Iterable[Delivery], after: str | None, zone: tzinfo) -> DeliveryPage:
    """Answer a page of deliveries."""
    return DeliveryPage(success=True, data=[_delivery(each, zone) for each in deliveries], next=after)


def _delivery(each: Delivery, zone: tzinfo) -> DeliveryRecord:
    notice = each.notice
    return DeliveryRecord(
        id=notice.id,
        kind=notice.kind,
        name=notice_id(notice.id),
        at=clock_time(notice.at, zone),
        status=each.state,
        attempts=each.tries,
        tried_at=each.tried_at and clock_time(each.tried_at, zone),
        next_at=each.next_at and clock_time(each.next_at, zone),
        http=each.status,
        reason=None if each.trouble is None else CallTrouble(each.trouble),
        took_ms=each.took_ms,
        log_id=notice.message_id,
        batch_id=notice.batch_id,
        account_id=notice.account_id,
    )
