"""When the silence of the recipients means that the line is sick, and when it means nothing."""

from datetime import UTC, datetime, timedelta

from guvercin.transports.web.deliveries import LEAST, PATIENCE, Deliveries

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def silent(count: int) -> Deliveries:
    deliveries = Deliveries()
    for number in range(count):
        deliveries.sent(NOW + number * MOMENT)
    return deliveries


def test_enough_messages_for_long_enough_without_a_delivery() -> None:
    deliveries = silent(LEAST)
    assert not deliveries.are_missing(NOW + PATIENCE - MOMENT)
    assert deliveries.are_missing(NOW + PATIENCE)


def test_a_few_silent_people_mean_nothing() -> None:
    assert not silent(LEAST - 1).are_missing(NOW + timedelta(days=7))
    assert not silent(0).are_missing(NOW + timedelta(days=7))


def test_one_delivery_to_anybody_is_enough() -> None:
    deliveries = silent(5 * LEAST)
    deliveries.delivered()
    assert not deliveries.are_missing(NOW + timedelta(days=7))
    for number in range(LEAST):
        deliveries.sent(NOW + PATIENCE + number * MOMENT)
    assert not deliveries.are_missing(NOW + PATIENCE + PATIENCE - MOMENT)
    assert deliveries.are_missing(NOW + PATIENCE + PATIENCE)
