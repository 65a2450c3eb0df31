"""Who may be claimed when: what the oracle demands of the order in which messages get their turn.

It is told of each commit at once, so that what it asks about the line is how the line stood when somebody was claimed.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from tests.simulation.promises import Broken

_CLAIMED = "mesaj.gonderiliyor"
_STOPS = {"toplu.durduruldu": "paused", "toplu.iptal_edildi": "cancelled"}
_RESUMED = "toplu.surduruldu"

WITH_RULES = 3
"""Turns that the others may have while a list stands in line, where rules are kept: what has its turn there may have to
step aside and be back in line before anybody else is claimed, and nothing tells of that. Without rules it is one."""

_ROW = "SELECT lane, priority, recipient, coalesce(batch_id, -token_id) FROM message WHERE id = ?"

_SINGLES_IN_LINE = (
    "SELECT id FROM message m WHERE account_id = ? AND status = 'queued' AND waits_for IS NULL AND lane = 'single' "
    "AND (SELECT max(id) FROM event WHERE message_id = m.id) < ?"
)

_LISTS_IN_LINE = (
    "SELECT coalesce(batch_id, -token_id), count(*), sum(recipient = ?) > 0 FROM message WHERE account_id = ? "
    "AND status = 'queued' AND waits_for IS NULL AND lane = 'bulk' AND priority = ? GROUP BY 1 ORDER BY 1"
)
"""How many rows each list has there, and whether one goes to the same recipient as the one claimed: one person's
messages keep their order, so that it may have gone in that list's turn."""


_EARLIER_THAT_WAIT = (
    "SELECT e.id, e.waits_for FROM message m JOIN message e ON e.account_id = m.account_id "
    "AND e.recipient = m.recipient AND e.priority = m.priority AND e.id < m.id AND e.status = 'queued' WHERE m.id = ? "
    "AND e.waits_until > (SELECT at FROM event WHERE id = ?) AND (e.waits_for IN ('tekrar_deneme', 'onceki_mesaj') "
    "OR (e.category = m.category AND e.waits_for IN ('sessiz_saat', 'saatlik_sinir', 'gunluk_sinir', 'aylik_sinir', "
    "'yeni_hat_kapali', 'isinma', 'alici_siniri', 'aralik')))"
)
"""Save those that a person keeps waiting, and those that a rule parks which knows categories."""


class LineOracle:
    """Hears every event once, in its order."""

    def __init__(self, ask: Callable[..., Sequence[Any]], has_rules: Callable[[int], bool]) -> None:
        self._ask = ask
        self._has_rules = has_rules
        self._stopped: dict[int, str] = {}
        """Batches that give nothing to the line, and why."""
        self._passed: defaultdict[int, dict[int, tuple[int, int, frozenset[int]]]] = defaultdict(dict)
        """By account and list in line: its rows there, how many messages of its level went since its last turn, and
        which other lists stood in line beside it."""
        self.most_passed = 0.0
        """The most turns that the others had, on an average of theirs."""

    def begin_anew(self) -> None:
        """Forget whose turn it was, as a process that has just begun does."""
        self._passed.clear()

    def hear(
        self, event_id: int, kind: str, account_id: int | None, message_id: int | None, batch_id: int | None
    ) -> None:
        """Judge one event."""
        if batch_id is not None and message_id is None:
            self._hear_of_batch(kind, batch_id)
        if kind != _CLAIMED or message_id is None or account_id is None:
            return
        if batch_id is not None and (why := self._stopped.get(batch_id)):
            raise Broken("STOP", f"{message_id} was claimed while its batch {batch_id} was {why}")
        if overtaken := self._ask(_EARLIER_THAT_WAIT, message_id, event_id):
            raise Broken("P4", f"{message_id} was claimed before {overtaken}")
        [(lane, level, recipient, turn)] = self._ask(_ROW, message_id)
        if lane == "bulk":
            self._a_bulk_message_goes(event_id, account_id, message_id)
            self._a_list_has_its_turn(account_id, level, recipient, turn)

    def _hear_of_batch(self, kind: str, batch_id: int) -> None:
        if kind in _STOPS and self._stopped.get(batch_id) != "cancelled":
            self._stopped[batch_id] = _STOPS[kind]
        if kind == _RESUMED:
            if self._stopped.get(batch_id) == "cancelled":
                raise Broken("STOP", f"batch {batch_id} was cancelled, and goes on")
            self._stopped.pop(batch_id, None)

    def _a_bulk_message_goes(self, event_id: int, account_id: int, claimed: int) -> None:
        if overtaken := self._ask(_SINGLES_IN_LINE, account_id, event_id):
            raise Broken("OVERTAKE", f"{overtaken} stood in line, and {claimed} was claimed before it")

    def _a_list_has_its_turn(self, account_id: int, level: int, recipient: str, turn: int) -> None:
        before, after = self._passed[account_id], dict[int, tuple[int, int, frozenset[int]]]()
        in_line = self._ask(_LISTS_IN_LINE, recipient, account_id, level)
        lists = {other for other, _, _ in in_line} | {turn}
        for other, rows, may_have_been_its in in_line:
            if other == turn or may_have_been_its:
                continue
            had, passed, beside = before.get(other, (rows, 0, frozenset[int]()))
            if rows < had:  # it had its turn, and what should have gone had to step aside
                passed, beside = 0, frozenset()
            _, passed, beside = after[other] = rows, passed + 1, beside | lists - {other}
            self.most_passed = max(self.most_passed, passed / len(beside))
            if passed > (WITH_RULES if self._has_rules(account_id) else 1) * len(beside):
                raise Broken("FAIR", f"{passed} messages of {sorted(beside)} went while {other} stood in line")
        self._passed[account_id] = after
