"""What is remembered of numbers: a month for those who are there, a week for those who aren't, 200 questions a day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from guvercin.transports.web.numbers import ABSENT_FOR, DAILY, REGISTERED_FOR, Numbers

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
HERE, GONE = "+905321234567", "+905321234568"
MOMENT = timedelta(seconds=1)


def test_answers_are_kept_as_long_as_they_are_good_and_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "numbers.jsonl"
    Numbers(path).learn(HERE, NOW, is_registered=True)
    Numbers(path).learn(GONE, NOW, is_registered=False)
    numbers = Numbers(path)
    assert numbers.is_registered(HERE, NOW + REGISTERED_FOR - MOMENT) is True
    assert numbers.is_registered(GONE, NOW + ABSENT_FOR - MOMENT) is False
    assert numbers.is_registered(GONE, NOW + ABSENT_FOR) is None
    assert numbers.is_registered(HERE, NOW + REGISTERED_FOR) is None
    assert numbers.is_registered("+905320000000", NOW) is None
    assert path.stat().st_mode & 0o077 == 0


def test_the_last_answer_counts(tmp_path: Path) -> None:
    numbers = Numbers(tmp_path / "numbers.jsonl")
    numbers.learn(HERE, NOW, is_registered=False)
    numbers.learn(HERE, NOW + MOMENT, is_registered=True)
    assert Numbers(tmp_path / "numbers.jsonl").is_registered(HERE, NOW + MOMENT) is True


def test_after_a_days_questions_the_next_waits_for_the_first_to_be_a_day_old(tmp_path: Path) -> None:
    numbers = Numbers(tmp_path / "numbers.jsonl")
    for number in range(DAILY):
        assert numbers.may_ask_at(NOW + number * MOMENT) is None
        numbers.learn(f"+90532{number:07}", NOW + number * MOMENT, is_registered=True)
    later = NOW + timedelta(hours=1)
    assert numbers.may_ask_at(later) == NOW + timedelta(days=1)
    assert numbers.may_ask_at(NOW + timedelta(days=1)) is None


def test_a_torn_line_costs_a_question_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "numbers.jsonl"
    Numbers(path).learn(HERE, NOW, is_registered=True)
    with path.open("ab") as file:
        file.write(b'["+9053')
    assert Numbers(path).is_registered(HERE, NOW) is True
