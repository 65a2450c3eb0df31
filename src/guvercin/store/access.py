"""Tokens, uploads and drafts, as functions of a connection or a transaction.

Secrets never come here: only their SHA-256.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from guvercin.core.audit import Act
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import File
from guvercin.core.token import PASS_NAME, Permission, Token, TokenRules
from guvercin.store import auditing
from guvercin.store.hand import by_hand
from guvercin.store.tables.access import day_pass, token
from guvercin.store.tables.uploads import batch_draft, upload
from guvercin.store.times import from_ms, to_ms
from guvercin.store.verbs.uploads import DraftInShort, KeptDraft, KeptFile
from guvercin.store.writer import Tx


def pack(rules: TokenRules) -> str:
    """Write rules as they are stored."""
    return orjson.dumps(
        {
            "name": rules.name,
            "permissions": sorted(permission.value for permission in rules.permissions),
            "account_ids": None if rules.account_ids is None else sorted(rules.account_ids),
            "expires_at": to_ms(rules.expires_at),
            "per_minute": rules.per_minute,
            "per_day": rules.per_day,
            "guards_retries": rules.guards_retries,
            "strict_categories": rules.strict_categories,
            "counts_accepted": rules.counts_accepted,
        },
    ).decode()


def _unpack(text: str) -> TokenRules:
    kept = orjson.loads(text)
    accounts = kept.pop("account_ids")
    return TokenRules(
        **kept
        | {
            "permissions": frozenset(Permission(word) for word in kept["permissions"]),
            "account_ids": None if accounts is None else frozenset(accounts),
            "expires_at": from_ms(kept["expires_at"]),
        },
    )


def from_row(row: Any) -> Token:
    """Answer the token of a row with COLUMNS."""
    return Token(
        id=row.id,
        hint=row.hint,
        rules=_unpack(row.rules),
        created_at=from_ms(row.created_at),
        last_used_at=from_ms(row.last_used_at),
        revoked_at=from_ms(row.revoked_at),
    )


COLUMNS = (token.c.id, token.c.hint, token.c.rules, token.c.created_at, token.c.last_used_at, token.c.revoked_at)


def create(tx: Tx, rules: TokenRules, secret_hash: bytes, hint: str, *, now: datetime) -> Token:
    """Store a token by the SHA-256 of its secret."""
    row = tx.connection.execute(
        insert(token)
        .values(secret_hash=secret_hash, hint=hint, rules=pack(rules), created_at=to_ms(now))
        .returning(*COLUMNS),
    ).one()
    if rules.name != PASS_NAME:
        auditing.note(tx, Act.TOKEN_MADE, now=now, about=f"anahtar:{row.id}")
    return from_row(row)


def every(connection: Connection) -> Sequence[Token]:
    """Answer every token, by id."""
    return tuple(from_row(row) for row in connection.execute(select(*COLUMNS).order_by(token.c.id)))


def by_hash(connection: Connection, secret_hash: bytes) -> Token | None:
    """Answer the token of a secret."""
    row = connection.execute(select(*COLUMNS).where(token.c.secret_hash == secret_hash)).one_or_none()
    return None if row is None else from_row(row)


def by_pass(connection: Connection, secret_hash: bytes, *, now: datetime) -> Token | None:
    """Answer the token that a pass of a day stands for, while its day lasts."""
    row = connection.execute(
        select(*COLUMNS)
        .join(day_pass, day_pass.c.token_id == token.c.id)
        .where(day_pass.c.secret_hash == secret_hash, day_pass.c.expires_at > to_ms(now))
    ).one_or_none()
    return None if row is None else from_row(row)


def add_pass(tx: Tx, token_id: int, secret_hash: bytes, *, until: datetime) -> None:
    """Let a secret stand for a token until a moment."""
    tx.connection.execute(insert(day_pass).values(secret_hash=secret_hash, token_id=token_id, expires_at=to_ms(until)))


def end_pass(tx: Tx, secret_hash: bytes) -> bool:
    """End a pass; says whether there was one."""
    return tx.connection.execute(delete(day_pass).where(day_pass.c.secret_hash == secret_hash)).rowcount == 1


def forget_passes(tx: Tx, *, now: datetime) -> None:
    """Drop passes whose day is over."""
    tx.execute("DELETE FROM day_pass WHERE expires_at <= ?", (to_ms(now),))


def revoke(tx: Tx, token_id: int, *, now: datetime) -> Token:
    """End a token, once; NOT_FOUND."""
    row = tx.connection.execute(select(*COLUMNS).where(token.c.id == token_id)).one_or_none()
    if row is None:
        raise GuvercinError(Code.NOT_FOUND)
    if row.revoked_at is None:
        tx.connection.execute(update(token).where(token.c.id == token_id).values(revoked_at=to_ms(now)))
        if from_row(row).rules.name != PASS_NAME:
            auditing.note(tx, Act.TOKEN_REVOKED, now=now, about=f"anahtar:{token_id}")
    return from_row(tx.connection.execute(select(*COLUMNS).where(token.c.id == token_id)).one())


def touch(tx: Tx, used: Mapping[int, datetime]) -> None:
    """Write when tokens were last used."""
    tx.connection.execute(
        update(token).where(token.c.id == bindparam("token_id")).values(last_used_at=bindparam("at")),
        [{"token_id": token_id, "at": to_ms(at)} for token_id, at in used.items()],
    )


def keep_upload(tx: Tx, upload_id: str, token_id: int, file: File, *, now: datetime) -> None:
    """Remember an uploaded file."""
    tx.connection.execute(
        insert(upload).values(
            id=upload_id,
            token_id=token_id,
            digest=file.digest,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            created_at=to_ms(now),
        ),
    )


def find_upload(connection: Connection, upload_id: str) -> KeptFile | None:
    """Answer an uploaded file."""
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).one_or_none()
    if row is None:
        return None
    file = File(digest=row.digest, name=row.name, media_type=row.media_type, size=row.size)
    return KeptFile(id=row.id, token_id=row.token_id, file=file)


DRAFTS_OF_ONE = 20
"""Drafts that a token may have: whoever makes more loses the oldest."""


def keep_draft(tx: Tx, draft_id: str, token_id: int, request: bytes, *, now: datetime) -> None:
    """Remember a bulk request that is not made yet, and forget the oldest of a token that has many."""
    draft = batch_draft.c
    tx.connection.execute(
        insert(batch_draft).values(id=draft_id, token_id=token_id, request=request, created_at=to_ms(now))
    )
    newest = select(draft.id).where(draft.token_id == token_id).order_by(draft.created_at.desc()).limit(DRAFTS_OF_ONE)
    tx.connection.execute(delete(batch_draft).where(draft.token_id == token_id, draft.id.not_in(newest)))


_DRAFTS = """
SELECT id, substr(request, 1, 400), length(request), created_at FROM batch_draft AS kept
WHERE token_id = ? AND created_at > ? AND NOT EXISTS (
  SELECT 1 FROM idempotency_key
  WHERE token_id = kept.token_id AND method = 'POST' AND path = ? AND key = kept.id)
ORDER BY created_at DESC
"""


def drafts(connection: Connection, token_id: int, since: datetime, path: str) -> Sequence[DraftInShort]:
    """Answer a token's drafts that were not started, the newest first."""
    rows = by_hand(connection).execute(_DRAFTS, (token_id, to_ms(since), path)).fetchall()
    return tuple(
        DraftInShort(id=row[0], beginning=bytes(row[1]), size=row[2], created_at=from_ms(row[3])) for row in rows
    )


def find_draft(connection: Connection, draft_id: str) -> KeptDraft | None:
    """Answer a bulk request that is not made yet."""
    row = connection.execute(select(batch_draft).where(batch_draft.c.id == draft_id)).one_or_none()
    if row is None:
        return None
    return KeptDraft(id=row.id, token_id=row.token_id, request=bytes(row.request), created_at=from_ms(row.created_at))
