"""Whether a message may go to its recipient: what the person has refused and agreed to.

Both an acceptance and a claim ask here, each in its own transaction: what was refused before it is seen by it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

from guvercin.core.category import CATEGORIES
from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.optout import NewOptOut, OptOutScope, Verdict, verdict
from guvercin.store.statements import wishes as sql
from guvercin.store.times import to_ms
from guvercin.store.writer import Tx

Ask: TypeAlias = Callable[..., Any]
"""`execute` of a transaction, or of a reader's own connection."""


def refusal(
    ask: Ask,
    *,
    account_id: int,
    recipient: str,
    category: int,
    is_direct: bool,
    message_id: int | None = None,
) -> Verdict | None:
    """Answer what a person's refusals do to a message; null: nothing. `message_id`: of one that is stored already."""
    found = ask(sql.REFUSALS_OF, (recipient, account_id)).fetchall()
    if not found:
        return None
    if message_id is not None and any(confirmation == message_id for _, confirmation in found):
        return None
    keeps_notices = bool(ask(sql.KEEPS_NOTICES, (account_id,)).fetchone()[0])
    verdicts = {
        verdict(
            OptOutScope(scope),
            category,
            is_commercial=is_commercial(ask, category),
            is_direct=is_direct,
            keeps_notices=keeps_notices,
        )
        for scope, _ in found
    }
    return next((each for each in (Verdict.STOPS, Verdict.HOLDS) if each in verdicts), None)


def is_commercial(ask: Ask, category: int) -> bool:
    """Say whether a category advertises. An owner can't change that of a preset, and nobody's own is unknown."""
    preset = CATEGORIES.get(category)
    if preset is not None:
        return preset.is_commercial
    found = ask(sql.IS_COMMERCIAL, (category,)).fetchone()
    return found is not None and bool(found[0])


def may_object(ask: Ask, category: int) -> bool:
    """Say whether anybody at all may be in the way of messages of a category: most lists are asked about no more."""
    return is_commercial(ask, category) or ask(sql.ANY_REFUSAL).fetchone() is not None


def objection(ask: Ask, *, account_id: int, recipient: str, category: int, is_direct: bool) -> Code | None:
    """Answer why a message may not be accepted for a person; null: it may. One that bulk only waits for is accepted."""
    stops = refusal(ask, account_id=account_id, recipient=recipient, category=category, is_direct=is_direct)
    if stops is Verdict.STOPS:
        return Code.OPTED_OUT
    if is_commercial(ask, category) and ask(sql.HAS_CONSENT, (recipient,)).fetchone() is None:
        return Code.NO_CONSENT
    return None


def refuse(tx: Tx, new: NewOptOut, *, now: datetime, at: datetime | None = None) -> int | None:
    """Write a refusal down; answers its id, or null if it stands there already.

    `at`: when the message was written that it was read from.
    """
    values = (new.account_id, new.phone, new.scope.value, new.source.value, new.said, new.token_id, to_ms(at or now))
    kept = tx.execute(sql.KEEP_REFUSAL, values)
    if kept.rowcount != 1:
        return None
    refusal_id = int(kept.lastrowid)
    kind = EventKind.OPT_OUT_DOUBTED if new.scope is OptOutScope.DOUBTFUL else EventKind.OPTED_OUT
    detail = {"ret_id": refusal_id, "kapsam": new.scope.value, "kaynak": new.source.value}
    tx.record(to_ms(now), kind, account_id=new.account_id, detail=detail)
    return refusal_id
