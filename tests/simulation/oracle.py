"""Who looks on, and knows nothing of how the gateway works: what the phones were handed and what callers were told is
laid beside the database's own rows, read by plain SQL, and each promise is checked by its sentence.

The words of the states stand in words.py once more: an oracle that asked the code under test would believe it.
"""

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.gateway.house import shared_engine
from tests.simulation.ledger import Ledger, text_of
from tests.simulation.line_oracle import LineOracle
from tests.simulation.pace_oracle import PaceOracle
from tests.simulation.promises import Broken
from tests.simulation.whatsapp import Phone
from tests.simulation.will_oracle import WillOracle
from tests.simulation.words import HELD, MAY_FOLLOW, NEXT, OPEN, PAUSED, ROWS, STATUS_OF_EVENT, THERE, Row, to_ms

from guvercin.core.message import Lane
from guvercin.core.outcome import ReceiptKind
from guvercin.gateway.replies import replies
from guvercin.gateway.requests import BatchView
from guvercin.store.sqlite import FILE_NAME
from guvercin.testing.timelapse import LapseClock

_LONGEST_HAND_OVER = 61.0
"""Seconds from a hand-over until it is settled: a line that says nothing for a minute has lost the answer."""

_STARTED = replies(datetime(2026, 1, 1, tzinfo=UTC)).started.content.text or ""
"""What is answered to who comes back."""

_ROUNDING = 0.0015
"""Seconds: the store keeps milliseconds, and a gap over a restart is counted from there."""

_MILLISECOND = timedelta(milliseconds=1)
"""What the store knows no part of."""


class Oracle:
    """Looks on after everything that happens, and judges at the end of the day."""

    def __init__(self, folder: Path, clock: LapseClock, ledger: Ledger, phones: dict[int, Phone]) -> None:
        self._clock = clock
        self._ledger = ledger
        self._phones = phones
        self._connection = shared_engine(folder / FILE_NAME, query_only=True).connect()
        raw: Any = self._connection.connection.driver_connection
        self._ask = raw.execute
        self._line = LineOracle(self._all, ledger.limits.__contains__)
        self._will = WillOracle(self._all, ledger)
        self._paces: dict[int, PaceOracle] = {}
        self._cursor = 0
        self.events = 0
        self.broken: Broken | None = None
        """What a commit broke, until somebody looks."""
        self._status: dict[int, str] = {}
        self._failed_at: dict[int, int] = {}
        """The event by which a message first failed or was cancelled."""
        self._accepted_at: dict[int, int] = {}
        self._doubted: set[int] = set()
        self._set_aside: set[int] = set()
        """Messages that a person has kept waiting, by themselves or with their batch: they have no place any more."""
        self._seen: defaultdict[int, int] = defaultdict(int)
        self._arrived: defaultdict[int, int] = defaultdict(int)
        self._arrivals: Counter[int] = Counter()
        self._batch_arrivals: Counter[tuple[int, str]] = Counter()

    def close(self) -> None:
        self._connection.close()

    # -- reading

    def _all(self, question: str, *values: Any) -> list[Any]:
        found: list[Any] = self._ask(question, values).fetchall()
        return found

    def everything(self) -> list[Any]:
        """Answer what the store says of the whole day."""
        events = self._all("SELECT id, at, kind, message_id, detail FROM event ORDER BY id")
        return [events, self._all("SELECT id, attempts, sent_at, delivered_at FROM message ORDER BY id")]

    def story(self, number: int) -> str:
        """Answer what the store tells of a message."""
        told = self._all("SELECT at, kind, detail FROM event WHERE message_id = ? ORDER BY id", number)
        row = self._all("SELECT * FROM message WHERE id = ?", number)
        return f"{row} {told}"

    def messages(self) -> int:
        return int(self._all("SELECT count(*) FROM message")[0][0])

    def is_done(self) -> bool:
        """Say whether nothing is left to do."""
        question = "SELECT EXISTS (SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'unknown'))"
        return not self._all(question)[0][0] and not any(phone.owed for phone in self._phones.values())

    def paused_batches(self) -> list[int]:
        """Answer the batches that go on when somebody resumes them."""
        question = "SELECT id FROM batch WHERE paused_at IS NOT NULL AND cancelled_at IS NULL ORDER BY id"
        return [number for (number,) in self._all(question)]

    def doubts(self) -> list[tuple[int, str]]:
        """Answer what somebody has to decide, and about whom."""
        return self._all("SELECT id, phone FROM opt_out WHERE scope = 'bakilacak' AND ended_at IS NULL ORDER BY id")

    def is_in_line(self) -> bool:
        """Say whether a message could leave now."""
        question = "SELECT EXISTS (SELECT 1 FROM message WHERE status = 'queued' AND waits_for IS NULL)"
        return bool(self._all(question)[0][0])

    def next_due(self) -> int | None:
        """Answer the moment at which the first of all waits ends (milliseconds); null: nothing waits for a moment."""
        question = "SELECT min(waits_until) FROM message WHERE status IN ('queued', 'unknown')"
        return self._all(question)[0][0]  # type: ignore[no-any-return]

    # -- while the day goes on

    def hear(self, who: str, log_id: int, status: str, remote_id: str | None) -> None:
        """Judge what somebody is told of a message, at the moment of being told."""
        if status in THERE:
            there = {arrived.remote_id for phone in self._phones.values() for arrived in phone.arrivals}
            if remote_id not in there:
                raise Broken("TRUE", f"{log_id} was told {status} and has not arrived")
        before = self._ledger.last_told.get((who, log_id))
        if before is not None and status not in MAY_FOLLOW[before]:
            raise Broken("P5", f"{who} was told {before} of {log_id}, and then {status}")
        self._ledger.last_told[who, log_id] = status
        if status == "cancelled":
            self._ledger.withdrawn.add(log_id)

    def hear_batch(self, view: BatchView, wished: int | None) -> None:
        """Judge the figures that somebody is told of a batch."""
        total, counts = view.batch.total, view.counts
        if total != counts.sent + counts.failed + counts.queued or (wished is not None and total != wished):
            raise Broken("P9", f"batch {view.batch.id}: {total} = {counts}, {wished} wished")

    def begin_anew(self) -> None:
        """Hear that a process begins: what only a process remembers is forgotten."""
        self._line.begin_anew()

    def look_on(self) -> None:
        """Check all that can be checked while things are under way."""
        if self.broken is not None:
            raise self.broken
        self._read_events()
        for phone in self._phones.values():
            self._look_at_arrivals(phone)
            self._look_at_hands(phone)

    def nothing_is_overdue(self) -> None:
        """Check what holds whenever a process has run for a moment without trouble."""
        now = self._clock.now()
        # Where a doubt has only just ended and the message is back in line, its lifetime is looked at a poll later.
        question = (
            "SELECT id, status FROM message WHERE status IN ('queued', 'sending') AND expires_at < ? AND NOT EXISTS ("
            "SELECT 1 FROM event WHERE message_id = message.id AND kind = 'mesaj.sirada' AND at BETWEEN ? AND ?)"
        )
        late, just_now = to_ms(now - timedelta(hours=1)), to_ms(now - timedelta(seconds=2))
        for number, status in self._all(question, late, just_now, to_ms(now)):
            if not (status == "sending" and self._is_in_hand(number)):  # the clock may have been set meanwhile
                raise Broken("P2", f"{number} is still {status}")

    def _is_in_hand(self, number: int) -> bool:
        """Say whether a phone may still answer a hand-over."""
        moments = [
            hand.moment for phone in self._phones.values() for hand in phone.seen if hand.message.message_id == number
        ]
        return self._clock.monotonic() - max(moments, default=-math.inf) < _LONGEST_HAND_OVER

    def nothing_is_in_hand(self) -> None:
        """Check what a stop with good manners leaves behind."""
        if in_hand := self._all("SELECT id FROM message WHERE status = 'sending'"):
            raise Broken("P3", f"a stop left {in_hand} half done")

    def hear_commit(self) -> None:
        """Judge what was written, at once: whoever looks later sees a line that has moved on."""
        if self.broken is None:
            try:
                self._read_events()
            except Broken as broken:
                self.broken = broken

    def _read_events(self) -> None:
        question = "SELECT id, kind, account_id, message_id, batch_id, detail FROM event WHERE id > ? ORDER BY id"
        for event_id, kind, account_id, message_id, batch_id, detail in self._all(question, self._cursor):
            self._cursor = event_id
            self.events += 1
            self._line.hear(event_id, kind, account_id, message_id, batch_id)
            self._will.hear(kind, message_id, detail)
            if kind == HELD and message_id is not None:
                self._set_aside.add(message_id)
            if kind == PAUSED:
                of_batch = self._all("SELECT id FROM message WHERE batch_id = ?", batch_id)
                self._set_aside.update(number for (number,) in of_batch)
            status = STATUS_OF_EVENT.get(kind)
            if message_id is None or status is None:
                continue
            before = self._status.get(message_id)
            if before is None:
                self._accepted_at[message_id] = event_id
            elif status not in NEXT[before]:
                raise Broken("P5", f"{message_id} went from {before} to {status} by event {event_id}")
            if status in {"failed", "cancelled"}:
                self._failed_at.setdefault(message_id, event_id)
            if status == "unknown":
                self._doubted.add(message_id)
            self._status[message_id] = status

    def _look_at_arrivals(self, phone: Phone) -> None:
        for arrived in phone.arrivals[self._arrived[phone.number] :]:
            self._arrived[phone.number] += 1
            number = arrived.message.message_id
            self._arrivals[number] += 1
            if self._arrivals[number] > 1:
                raise Broken("P3", f"{number} has arrived {self._arrivals[number]} times")
            rows = self._all("SELECT account_id, recipient, body, batch_id FROM message WHERE id = ?", number)
            if not rows:
                raise Broken("P1", f"{number} has arrived and is no row")
            if rows[0][:3] != (phone.number, arrived.message.recipient, arrived.message.text):
                raise Broken("TRUE", f"{number} arrived as {arrived} and is {rows[0]}")
            if number in self._answers():
                continue
            if rows[0][3] is not None:
                self._batch_arrivals[rows[0][3], rows[0][1]] += 1
                if self._batch_arrivals[rows[0][3], rows[0][1]] > 1:
                    raise Broken("TWICE", f"batch {rows[0][3]}: {number} is the second to arrive at {rows[0][1]}")
            wish = self._ledger.wishes.get(text_of(rows[0][2]))
            if wish is None or rows[0][1] not in wish.phones or wish.account_id not in {None, phone.number}:
                raise Broken("TRUE", f"{number} is nothing that {wish} asked for")
            if number in self._ledger.withdrawn:
                raise Broken("P7", f"{number} has arrived")

    def _look_at_hands(self, phone: Phone) -> None:
        first = self._seen[phone.number]
        for place in range(first, len(phone.seen)):
            hand = phone.seen[place]
            number = hand.message.message_id
            [(lane, expires_at, body, resend_of, category)] = self._all(
                "SELECT lane, expires_at, body, resend_of, category FROM message WHERE id = ?", number
            )
            if to_ms(hand.wall) > expires_at + 1_000 and not hand.is_after_jump:
                raise Broken("P8", f"{number} left at {hand.wall} after its lifetime: {self.story(number)}")
            if number in self._answers():
                continue
            wish = self._ledger.wishes[text_of(body)]
            latest = max(hand.wall, self._ledger.highest_wall) + _MILLISECOND
            if resend_of is None and wish.planned_at is not None and latest < wish.planned_at:
                raise Broken("P8", f"{number} left at {hand.wall} before {wish.planned_at}")
            if place:
                self._check_gap(phone, place, lane)
            if limits := self._ledger.limits.get(phone.number):
                rules = self._paces.setdefault(phone.number, PaceOracle(self._ledger, limits))
                rules.see(hand, category)
        self._seen[phone.number] = len(phone.seen)

    def _answers(self) -> set[int]:
        """Answer what says that a refusal, or its end, was heard, also sent again: nobody asked for it."""
        question = (
            "WITH RECURSIVE answer(id) AS (SELECT confirmation_id FROM opt_out WHERE confirmation_id NOTNULL "
            "UNION SELECT id FROM message WHERE body = ? "
            "UNION SELECT again.id FROM message again JOIN answer ON again.resend_of = answer.id) SELECT id FROM answer"
        )
        return {number for (number,) in self._all(question, _STARTED)}

    def _check_gap(self, phone: Phone, place: int, lane: str) -> None:
        before, hand = phone.seen[place - 1], phone.seen[place]
        is_reset = before.life != hand.life and any(
            before.moment <= jump <= hand.moment for jump in self._ledger.forward_jumps
        )
        if is_reset:  # nobody can tell a clock set forward while no process ran from time that went by
            return
        gaps = self._ledger.paces[phone.number]
        # With rules the first rows of a batch leave at the gaps of singles.
        kinds = {Lane(lane), Lane.SINGLE} if phone.number in self._ledger.limits else {Lane(lane)}
        least = min(gaps[kind].least for kind in kinds)
        kept = hand.moment - before.moment
        if kept < least.total_seconds() - _ROUNDING:
            raise Broken("P8", f"{kept} s before {hand.message.message_id}, a {lane}; at least {least}")

    # -- at its end

    def judge(self) -> None:
        """Check every promise once nothing is left to do."""
        self.look_on()
        rows = [Row(*row) for row in self._all(ROWS)]
        self._nothing_is_lost({row.id: row for row in rows})
        self._nothing_is_left_open(rows)
        self._nothing_is_doubled(rows)
        self._nothing_is_overtaken({row.id: row for row in rows})
        self._the_spine_tells_all(rows)
        self._figures_agree(rows)
        self._no_receipt_is_forgotten()
        answers = self._answers()
        self._one_wish_is_one_row([row for row in rows if row.id not in answers])
        self._limits_hold()
        self._will.judge(_STARTED)

    def _nothing_is_lost(self, rows: dict[int, "Row"]) -> None:
        for text, log_ids in self._ledger.log_ids.items():
            for log_id in log_ids:
                if log_id not in rows or rows[log_id].text != text:
                    raise Broken("P1", f"{log_id} was accepted for {text!r} and is {rows.get(log_id)}")
        batches = {row.batch_id for row in rows.values()}
        for text, batch_ids in self._ledger.batch_ids.items():
            if not batch_ids <= batches:
                raise Broken("P1", f"batches {batch_ids} of {text!r} were accepted, and {batches} are there")

    def _nothing_is_left_open(self, rows: "list[Row]") -> None:
        if still_open := [row for row in rows if row.status in OPEN]:
            raise Broken("P2", f"{still_open}")

    def _nothing_is_doubled(self, rows: "list[Row]") -> None:
        told = {remote_id: kinds for phone in self._phones.values() for remote_id, kinds in phone.told.items()}
        for row in rows:
            has_arrived = self._arrivals[row.id] > 0
            if row.status in THERE and not has_arrived:
                raise Broken("TRUE", f"{row} has never arrived")
            is_let_go = row.reason in {"yeniden_gonderildi", "vazgecildi"}
            is_taken_back = ReceiptKind.FAILED in told.get(row.remote_id or "", [])
            if row.status not in THERE and has_arrived and not is_let_go and not is_taken_back:
                raise Broken("TRUE", f"{row} has arrived")
        for phone in self._phones.values():
            attempts: defaultdict[int, list[bytes]] = defaultdict(list)
            for hand in phone.seen:
                attempts[hand.message.message_id].append(hand.message.secret)
            for number, secrets in attempts.items():
                if len(set(secrets)) < len(secrets) or not set(secrets[:-1]) <= phone.proved:
                    raise Broken("P3", f"{number} was handed over again without proof that it had not left")

    def _nothing_is_overtaken(self, rows: "dict[int, Row]") -> None:
        for phone in self._phones.values():
            keeps_rules = phone.number in self._ledger.limits
            answers = self._answers()
            lines: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
            for arrived in phone.arrivals:
                row = rows[arrived.message.message_id]
                if row.id in answers:
                    continue
                is_planned = self._ledger.wishes[row.text].planned_at is not None and row.resend_of is None
                if row.id not in self._doubted | self._set_aside and not is_planned:
                    # A rule that holds one category lets another pass: an invoice doesn't wait behind an offer.
                    lines[row.recipient, row.priority, row.category if keeps_rules else 0].append(row.id)
            for line in lines.values():
                if line != sorted(line):
                    raise Broken("P4", f"{line}")

    def _the_spine_tells_all(self, rows: "list[Row]") -> None:
        count, last = self._all("SELECT count(*), coalesce(max(id), 0) FROM event")[0]
        if (count, last) != (self.events, self._cursor):
            raise Broken("P6", f"{count} events up to {last}; a reader saw {self.events} up to {self._cursor}")
        for row in rows:
            if self._status.get(row.id) != row.status:
                raise Broken("P6", f"{row} ended with the event of {self._status.get(row.id)}")

    def _figures_agree(self, rows: "list[Row]") -> None:
        sizes = Counter(row.batch_id for row in rows)
        for batch_id, total in self._all("SELECT id, total FROM batch"):
            if sizes[batch_id] != total:
                raise Broken("P9", f"batch {batch_id} of {total} has {sizes[batch_id]} rows")

    def _no_receipt_is_forgotten(self) -> None:
        question = "SELECT id, remote_id, delivered_at, read_at FROM message WHERE remote_id IS NOT NULL"
        told = {remote_id: kinds for phone in self._phones.values() for remote_id, kinds in phone.told.items()}
        for number, remote_id, delivered_at, read_at in self._all(question):
            kinds = told.get(remote_id, [])
            for kind, at in ((ReceiptKind.DELIVERED, delivered_at), (ReceiptKind.READ, read_at)):
                if (at is not None) != (kind in kinds):
                    raise Broken("TRUE", f"{number} was told {kinds}, and has {delivered_at}, {read_at}")

    def _one_wish_is_one_row(self, rows: "list[Row]") -> None:
        of_wish: defaultdict[str, list[Row]] = defaultdict(list)
        batches: defaultdict[str, set[int]] = defaultdict(set)
        for row in rows:
            if row.text not in self._ledger.wishes:
                raise Broken("ONCE", f"nobody asked for {row}")
            if row.batch_id is not None:
                batches[row.text].add(row.batch_id)
            elif row.resend_of is None:
                of_wish[row.text].append(row)
        for text, wish in self._ledger.wishes.items():
            if wish.has_key and max(len(of_wish[text]), len(batches[text])) > 1:
                raise Broken("ONCE", f"{wish} became {of_wish[text]} {batches[text]}")
            if wish.is_guarded and not wish.is_batch:
                for first, second in pairwise(of_wish[text]):
                    had_failed = self._failed_at.get(first.id, self._cursor) < self._accepted_at[second.id]
                    if second.created_at - first.created_at < 300_000 and not had_failed:
                        raise Broken("ONCE", f"{wish} became {first} and {second}")

    def _limits_hold(self) -> None:
        question = (
            "SELECT token_id, (created_at + 10800000) / 86400000, count(*) FROM message "
            "WHERE coalesce(reason, '') NOT IN ('gecersiz_telefon', 'mukerrer', 'alici_ret_etti', 'onay_yok') "
            "AND resend_of IS NULL AND id NOT IN (SELECT confirmation_id FROM opt_out WHERE confirmation_id NOTNULL) "
            "AND body <> ? GROUP BY 1, 2"
        )
        for token_id, day, count in self._all(question, _STARTED):
            limit = self._ledger.day_limits.get(token_id)
            if limit is not None and count > limit:
                raise Broken("LIMIT", f"token {token_id} had {count} of {limit} on day {day}")
        for (_, token_id), moments in self._ledger.spent.items():
            most = 2 * self._ledger.minute_limits[token_id]  # a full window may end as the next one begins
            for place, moment in enumerate(moments[most:]):
                if moment - moments[place] < 60:
                    raise Broken("LIMIT", f"token {token_id} asked {most + 1} times within a minute")
