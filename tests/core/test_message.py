"""The life of a message, held against the table of the design."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.message import (
    FINISHED,
    TRANSITIONS,
    WITH_WHATSAPP,
    Cause,
    IllegalOrder,
    Lane,
    Level,
    News,
    Order,
    Status,
    advance,
    priority,
)

# Written out once more, so that a slip in the code can't agree with itself. Orders in capitals, news in small letters.
DESIGN = """
QUEUED     CLAIM->SENDING CANCEL->CANCELLED refused->FAILED expired->FAILED failed->FAILED
QUEUED     server->SENT delivered->DELIVERED read->READ
SENDING    accepted->SENT deferred->QUEUED refused->FAILED lost->UNKNOWN failed->FAILED
SENDING    server->SENT delivered->DELIVERED read->READ
UNKNOWN    never_left->QUEUED GIVE_UP->FAILED
UNKNOWN    accepted->SENT deferred->QUEUED refused->FAILED failed->FAILED
UNKNOWN    server->SENT delivered->DELIVERED read->READ
SENT       delivered->DELIVERED read->READ failed->FAILED
DELIVERED  read->READ
READ
FAILED     delivered->DELIVERED read->READ
CANCELLED  delivered->DELIVERED read->READ
"""

CAUSES: list[Cause] = [*Order, *News]
RECEIPTS = [News.SERVER, News.DELIVERED, News.READ, News.FAILED]
ANSWERS = [News.ACCEPTED, News.DEFERRED, News.REFUSED, News.LOST]

RANK = {
    Status.QUEUED: 0,
    Status.SENDING: 0,
    Status.UNKNOWN: 1,
    Status.SENT: 2,
    Status.FAILED: 3,
    Status.CANCELLED: 3,
    Status.DELIVERED: 4,
    Status.READ: 5,
}
"""The order in which a status may only rise; queued, scheduled and sending are one rank."""


def designed() -> dict[tuple[Status, Cause], Status]:
    table: dict[tuple[Status, Cause], Status] = {}
    for line in DESIGN.strip().splitlines():
        name, *arrows = line.split()
        for arrow in arrows:
            word, target = arrow.split("->")
            cause: Cause = Order[word] if word.isupper() else News[word.upper()]
            table[Status[name], cause] = Status[target]
    return table


def after(status: Status, *causes: Cause) -> Status:
    for cause in causes:
        status = advance(status, cause)
    return status


def test_the_table_is_the_one_of_the_design() -> None:
    assert {(status, cause): end for status, row in TRANSITIONS.items() for cause, end in row.items()} == designed()


def test_every_status_has_an_entry() -> None:
    assert set(TRANSITIONS) == set(Status) == set(RANK)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("cause", CAUSES)
def test_advance_does_what_the_table_says_and_nothing_else(status: Status, cause: Cause) -> None:
    expected = designed().get((status, cause))
    if expected is not None:
        assert advance(status, cause) is expected
    elif isinstance(cause, News):
        assert advance(status, cause) is status
    else:
        with pytest.raises(IllegalOrder) as caught:
            advance(status, cause)
        assert (caught.value.status, caught.value.order) == (status, cause)


@pytest.mark.parametrize("status", Status)
def test_the_same_receipts_end_the_same_in_any_order(status: Status) -> None:
    for size in range(len(RECEIPTS) + 1):
        for chosen in permutations(RECEIPTS, size):
            assert after(status, *chosen) is after(status, *sorted(chosen)), f"{status} {chosen}"


@given(st.sampled_from(Status), st.lists(st.sampled_from(RECEIPTS), max_size=12), st.data())
def test_repeated_receipts_in_any_order_end_as_if_each_had_come_once(
    status: Status,
    receipts: list[News],
    data: st.DataObject,
) -> None:
    shuffled = data.draw(st.permutations(receipts))
    assert after(status, *shuffled) is after(status, *dict.fromkeys(receipts))


@pytest.mark.parametrize(
    ("answer", "receipts"),
    [
        (News.ACCEPTED, [News.SERVER, News.DELIVERED, News.READ]),
        (News.ACCEPTED, [News.FAILED]),
        (News.LOST, [News.SERVER, News.DELIVERED, News.READ]),
        (News.LOST, [News.FAILED]),
        (News.DEFERRED, [News.DELIVERED]),
        (News.REFUSED, [News.DELIVERED]),
    ],
)
def test_a_receipt_may_overtake_the_answer_of_its_own_send(answer: News, receipts: list[News]) -> None:
    ends = {after(Status.SENDING, *order) for order in permutations([answer, *receipts])}
    assert len(ends) == 1


def test_nothing_goes_back_but_what_surely_never_left() -> None:
    backward = {
        (status, cause, end)
        for status, row in TRANSITIONS.items()
        for cause, end in row.items()
        if RANK[end] < RANK[status]
    }
    assert backward == {
        (Status.UNKNOWN, News.NEVER_LEFT, Status.QUEUED),
        (Status.UNKNOWN, News.DEFERRED, Status.QUEUED),
    }


@given(st.lists(st.sampled_from(CAUSES), max_size=20))
def test_a_message_that_whatsapp_had_is_never_queued_again(causes: list[Cause]) -> None:
    status = Status.QUEUED
    for cause in causes:
        try:
            end = advance(status, cause)
        except IllegalOrder:
            continue
        if status not in {Status.QUEUED, Status.SENDING, Status.UNKNOWN}:
            assert RANK[end] >= RANK[status]
        status = end


@pytest.mark.parametrize(("status", "seen"), list(product(Status, [News.DELIVERED, News.READ])))
def test_a_message_that_was_seen_on_a_phone_is_never_below_that(status: Status, seen: News) -> None:
    least = RANK[Status.DELIVERED if seen is News.DELIVERED else Status.READ]
    assert RANK[advance(status, seen)] >= least


def test_no_order_sends_a_doubtful_message_again() -> None:
    assert [cause for cause in TRANSITIONS[Status.UNKNOWN] if isinstance(cause, Order)] == [Order.GIVE_UP]
    assert [status for status in Status if Order.CLAIM in TRANSITIONS[status]] == [Status.QUEUED]
    assert [status for status in Status if Order.CANCEL in TRANSITIONS[status]] == [Status.QUEUED]


def test_what_is_out_of_our_hands_can_be_neither_claimed_nor_cancelled() -> None:
    assert frozenset(Status) - {Status.QUEUED, Status.SENDING} == FINISHED
    for status in FINISHED:
        assert not TRANSITIONS[status].keys() & {Order.CLAIM, Order.CANCEL}


def test_with_whatsapp_is_what_it_acknowledged() -> None:
    assert {Status.SENT, Status.DELIVERED, Status.READ} == WITH_WHATSAPP


def test_any_single_overtakes_any_bulk_and_levels_rank_within() -> None:
    ranked = [(lane, level) for lane in (Lane.BULK, Lane.SINGLE) for level in sorted(Level)]
    ranks = [priority(level, lane) for lane, level in ranked]
    assert ranks == sorted(set(ranks))
