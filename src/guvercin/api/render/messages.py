"""From messages to their answers."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from guvercin.api.answers.messages import (
    AttemptRecord,
    EventRecord,
    MessageHistory,
    MessageHistoryAnswer,
    MessagePage,
    MessageRecord,
    MessageSent,
    MessageStanding,
    MessageStatus,
    MessageStatusAnswer,
)
from guvercin.api.render.ground import PREFIX, clock_time, iso_time
from guvercin.api.wire.messages import ListedStatus
from guvercin.core.event import Event
from guvercin.core.log import Tried
from guvercin.core.message import WITH_WHATSAPP, Message, Status, WaitsFor
from guvercin.gateway.requests import History, Sent


def _wire_status(status: Status, waits_for: WaitsFor | None) -> ListedStatus:
    if status is Status.QUEUED and waits_for is WaitsFor.TIME:
        return ListedStatus.SCHEDULED
    return ListedStatus(status.value)


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


def message_url(log_id: int) -> str:
    """Answer where a message's status is found."""
    return f"{PREFIX}/durum/{log_id}"


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
