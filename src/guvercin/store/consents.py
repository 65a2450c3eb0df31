"""Consents to be advertised to, as functions of a connection or a transaction. They are only ever added to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from guvercin.core.consent import Consent, ConsentSource, NewConsent, Proof, RecipientKind
from guvercin.core.event import EventKind
from guvercin.store.tables.wishes import consent
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx


def keep(tx: Tx, new: NewConsent, *, now: datetime) -> Consent:
    """Keep one consent."""
    row = tx.connection.execute(
        insert(consent)
        .values(
            phone=new.phone,
            recipient_kind=new.recipient_kind.value,
            source=new.source.value,
            given_at=to_ms(new.given_at),
            text_version=new.text_version,
            proof_digest=new.proof and new.proof.digest,
            proof_name=new.proof and new.proof.name,
            token_id=new.token_id,
            created_at=to_ms(now),
        )
        .returning(consent)
    ).one()
    tx.record(to_ms(now), EventKind.CONSENTED, detail={"onay_id": row.id, "kaynak": new.source.value})
    return _consent(row)


def page(connection: Connection, *, phone: str | None, limit: int, below: int | None) -> Sequence[Consent]:
    """Answer consents, newest first, with ids below `below`."""
    query = select(consent).order_by(consent.c.id.desc()).limit(limit)
    if phone is not None:
        query = query.where(consent.c.phone == phone)
    if below is not None:
        query = query.where(consent.c.id < below)
    return tuple(_consent(row) for row in connection.execute(query))


def _consent(row: Any) -> Consent:
    return Consent(
        id=row.id,
        phone=row.phone,
        recipient_kind=RecipientKind(row.recipient_kind),
        source=ConsentSource(row.source),
        given_at=from_ms(row.given_at),
        text_version=row.text_version,
        proof=None if row.proof_digest is None else Proof(digest=row.proof_digest, name=row.proof_name),
        token_id=row.token_id,
        created_at=from_ms(row.created_at),
    )
