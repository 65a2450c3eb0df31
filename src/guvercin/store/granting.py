"""What the grant of a number asks of its rows, as functions of a transaction. Accounts without one never come here.

An allowance is asked and spent by the one thread that writes, in the change that claims. A change that fails in the end
has spent all the same: what is counted in doubt makes a wait longer, never a limit larger.
"""

from guvercin.core.errors import Code
from guvercin.core.grant import DAY, Allowance, Held
from guvercin.core.message import WaitsFor
from guvercin.store.statements import claiming as sql
from guvercin.store.statements.hearing import LAST_HEARD
from guvercin.store.writer import Tx


def withheld(tx: Tx, account_id: int, message_id: int, recipient: str, *, allowance: Allowance, now_ms: int) -> bool:
    """Count a row that is about to be claimed; or say that it has to wait, and take it out of line until then."""
    is_first = allowance.grant.people is not None and not _heard_from(tx, account_id, recipient, now_ms)
    steady_ms = now_ms - allowance.ahead
    until, held = allowance.opens_at(recipient, steady_ms, is_first=is_first)
    until_ms = until + allowance.ahead
    match held:
        case None:
            allowance.spend(recipient, steady_ms, is_first=is_first)
            return False
        case Held.BY_PAIR:
            tx.execute(sql.WITHHOLD, (WaitsFor.EARLIER.value, None, until_ms, message_id))
        case Held.BY_PEOPLE:
            allowance.wait(until)
            tx.execute(sql.WITHHOLD, (WaitsFor.RETRY.value, Code.PEOPLE_LIMIT.value, until_ms, message_id))
    return True


def _heard_from(tx: Tx, account_id: int, recipient: str, now_ms: int) -> bool:
    row = tx.execute(LAST_HEARD, (account_id, recipient)).fetchone()
    return row is not None and row[0] > now_ms - DAY


def take_up(tx: Tx, account_id: int, allowance: Allowance, now_ms: int) -> None:
    """Count what the log says was sent of late, by this process or another: everybody counts as written to first."""
    since = now_ms - allowance.matters_for
    for recipient, at in tx.execute(sql.SENDS_SINCE, (_before(tx, since), account_id, since)):
        allowance.spend(recipient, at - allowance.ahead, is_first=True)


def _before(tx: Tx, since: int) -> int:
    """Answer an attempt's id below which none is younger than `since`, by halves: attempts lie in the order of time."""
    low, high = 0, tx.execute(sql.LAST_ATTEMPT).fetchone()[0]
    while low < high:
        middle = (low + high) // 2
        if tx.execute(sql.ATTEMPT_TIME, (middle + 1,)).fetchone()[0] > since:
            high = middle
        else:
            low = middle + 1
    return low
