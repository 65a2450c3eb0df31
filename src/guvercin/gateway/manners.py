"""What a kind of message asks of the pace: which quiet hours it keeps, what it counts as, how long it may wait.

A category's lifetime counts only time in which the row may go; one that its sender has given is measured by the wall.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from guvercin.core.account import Account
from guvercin.core.category import Category
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Draft, Lane, Track

AWAITED = frozenset({1, 3, 4, 6, 8})
"""Categories whose recipients wait for them: a single message of these never counts as *yeni*. WhatsApp's own signals
(463, 475) hold them, and no cap of ours."""

APPOINTMENT = 8
"""A reminder of it that was planned keeps night hours; a direct call goes."""


def mannered(
    drafts: Sequence[Draft],
    account: Account,
    category: Category,
    hours: Mapping[Courtesy, Hours],
    *,
    lifetime: timedelta | None,
    now: datetime,
) -> Sequence[Draft]:
    """Answer drafts with what their category asks of the account's rules; of an account without rules, as they are.

    `lifetime`: the one that the sender gave.
    """
    rules = account.pace.rules
    if rules is None:
        return drafts
    found, heads = [], 0
    for draft in drafts:
        courtesy = _courtesy(draft, category)
        expires_at = draft.expires_at
        if lifetime is None and courtesy is not None and rules.keeps_quiet:
            expires_at = hours[courtesy].after(draft.due_at or now, category.lifetime)
        is_single = draft.lane is Lane.SINGLE
        is_head = not is_single and draft.reason is None and heads < rules.head_start
        heads += is_head
        found.append(
            replace(
                draft,
                courtesy=courtesy,
                expires_at=expires_at,
                owns_lifetime=lifetime is not None,
                track=Track.SINGLE if is_single and category.id in AWAITED else None,
                is_head=is_head,
                loop_after=rules.loop_after if is_single else None,
            )
        )
    return found


def _courtesy(draft: Draft, category: Category) -> Courtesy | None:
    if category.keeps_quiet_hours:
        return Courtesy.QUIET
    return Courtesy.NIGHT if category.id == APPOINTMENT and draft.due_at is not None else None
