"""From what a client wrote to what the gateway is asked: names change language here, and bare times get their zone."""

import base64
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from guvercin.api.bodies import body_hash
from guvercin.api.wire.batches import SendBatch
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.messages import ListedStatus, ListMessages, SendFile, SendText
from guvercin.api.wire.names import FIELD_NAMES
from guvercin.core.category import GENERAL
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.log import MessageFilter
from guvercin.core.message import Status
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway.requests import Ask, AskBatch, AskRecipient, FilePath, UploadedFile


def ask(asked: SendText, zone: tzinfo) -> Ask:
    """Answer what `gonder` asks."""
    return Ask(
        phone=asked.phone,
        text=asked.text,
        name=asked.name,
        category=asked.category or GENERAL.id,
        account_id=asked.account_id,
        reference=asked.reference,
        planned_at=_moment(asked.planned_at, zone),
        lifetime=minutes(asked.lifetime),
    )


def ask_file(asked: SendFile, zone: tzinfo) -> Ask:
    """Answer what `dosya-gonder` asks: a file by its path or by its id, never both."""
    if asked.file_path is None and asked.file_id is None:
        raise bad("file_path", "zorunlu")
    if asked.file_path is not None and asked.file_id is not None:
        raise bad("file_id", "gecersiz")
    return Ask(
        phone=asked.phone,
        text=asked.text,
        name=asked.name,
        category=asked.category or GENERAL.id,
        account_id=asked.account_id,
        reference=asked.reference,
        planned_at=_moment(asked.planned_at, zone),
        lifetime=minutes(asked.lifetime),
        file=UploadedFile(id=asked.file_id) if asked.file_id is not None else FilePath(path=asked.file_path or ""),
        file_name=asked.file_name,
    )


def ask_batch(asked: SendBatch, zone: tzinfo, body: Any) -> AskBatch:
    """Answer what `toplu-gonder` asks."""
    return AskBatch(
        recipients=[
            AskRecipient(
                phone=recipient.phone,
                name=recipient.name,
                reference=recipient.reference,
                text=recipient.text,
                file_path=recipient.file_path,
                variables={name: str(value) for name, value in (recipient.variables or {}).items()},
            )
            for recipient in asked.recipients
        ],
        text=asked.text,
        is_template=bool(asked.is_template),
        is_of_customers=bool(asked.is_of_customers),
        file_path=asked.file_path,
        body_hash=body_hash(body),
        category=asked.category or GENERAL.id,
        account_id=asked.account_id,
        reference=asked.reference,
        planned_at=_moment(asked.planned_at, zone),
        lifetime=minutes(asked.lifetime),
        is_declared=asked.is_declared,
    )


def aware(at: datetime, zone: tzinfo) -> datetime:
    """Answer a moment with its offset: a bare one is of the configured zone."""
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _moment(at: datetime | None, zone: tzinfo) -> datetime | None:
    return None if at is None else aware(at, zone)


def minutes(count: int | None) -> timedelta | None:
    """Answer a number of minutes as a duration."""
    return None if count is None else timedelta(minutes=count)


def message_filter(query: ListMessages, zone: tzinfo) -> MessageFilter:
    """Answer which messages a list is asked for."""
    statuses, scheduled = None, None
    if query.status is ListedStatus.SCHEDULED:
        statuses, scheduled = frozenset({Status.QUEUED}), True
    elif query.status is not None:
        statuses = frozenset({Status(query.status.value)})
        scheduled = False if query.status is ListedStatus.QUEUED else None
    return MessageFilter(
        statuses=statuses,
        scheduled=scheduled,
        account_id=query.account_id,
        category=query.category,
        recipient=None if query.phone is None else recipient_of(query.phone),
        reference=query.reference,
        batch_id=query.batch_id,
        since=_edge(query.since, zone, days=0),
        until=_edge(query.until, zone, days=1),
    )


def recipient_of(typed: str) -> str:
    """Answer a number in E.164. INVALID_FIELD."""
    try:
        return parse_phone(typed).e164
    except InvalidPhone as trouble:
        raise bad("phone", trouble.fault.value) from None


def _edge(at: date | None, zone: tzinfo, *, days: int) -> datetime | None:
    """Answer a bound of a list as a moment: a whole day begins at midnight, and `days` later ends."""
    if at is None or isinstance(at, datetime):
        return _moment(at, zone)
    return datetime.combine(at + timedelta(days=days), time(), zone)


_CURSOR_BYTES = 8


def cursor(log_id: int) -> str:
    """Answer the opaque word that asks for the rows below an id."""
    return base64.urlsafe_b64encode(log_id.to_bytes(_CURSOR_BYTES)).decode().rstrip("=")


def read_cursor(text: str) -> int:
    """Answer the id in a cursor. Raises INVALID_FIELD for anything that `cursor` didn't write."""
    try:
        log_id = int.from_bytes(base64.urlsafe_b64decode(f"{text}="))
    except ValueError:
        raise bad("after", "gecersiz") from None
    if not 1 <= log_id <= LARGEST_INTEGER or cursor(log_id) != text:
        raise bad("after", "gecersiz")
    return log_id


def unsupported(where: str) -> GuvercinError:
    """Build the refusal of a field that this version doesn't have yet."""
    field = ".".join(FIELD_NAMES.get(part, part) for part in where.split("."))
    return GuvercinError(
        Code.UNSUPPORTED,
        faults=(FieldFault(where, Code.UNSUPPORTED.value),),
        params={"field": field},
    )


def bad(where: str, fault: str) -> GuvercinError:
    """Build the refusal of one field."""
    return GuvercinError(Code.INVALID_FIELD, faults=(FieldFault(where, fault),))
