"""Laws of what the network said of numbers, and of how often it may be asked."""

from datetime import datetime, timedelta

from tests.contracts.desk import AYSE, BORA, DAY, NOW, SECOND, Desk

from guvercin.store.verbs.numbers import Checked


class NumberLaws:
    async def test_the_last_answer_counts_whoever_heard_it(self, desk: Desk) -> None:
        store = desk.store
        assert await store.last_check(AYSE) is None
        await store.learn_number(1, AYSE, is_registered=False, now=NOW)
        await store.learn_number(2, AYSE, is_registered=True, now=NOW + SECOND)
        assert await store.last_check(AYSE) == Checked(True, NOW + SECOND)
        await store.learn_number(1, AYSE, is_registered=False, now=NOW + 2 * SECOND)
        assert await store.last_check(AYSE) == Checked(False, NOW + 2 * SECOND)
        assert await store.last_check(BORA) is None

    async def test_a_question_without_an_answer_counts_and_says_nothing(self, desk: Desk) -> None:
        await ask(desk, 1, AYSE, NOW)
        assert await desk.store.last_check(AYSE) is None
        assert await ask(desk, 1, BORA, NOW + SECOND, most=1) == NOW + DAY

    async def test_only_so_many_questions_are_put_in_so_much_time_by_each_account(self, desk: Desk) -> None:
        for number in range(3):
            assert await ask(desk, 1, f"+9053212345{number:02}", NOW + number * SECOND) is None
        later = NOW + DAY - SECOND
        assert await ask(desk, 1, AYSE, later) == NOW + DAY
        assert await ask(desk, 2, AYSE, later) is None
        assert await ask(desk, 1, AYSE, NOW + DAY) is None
        assert await ask(desk, 1, BORA, NOW + DAY) == NOW + SECOND + DAY

    async def test_an_answer_doesnt_hide_the_question_nor_a_question_the_answer(self, desk: Desk) -> None:
        await ask(desk, 1, AYSE, NOW, most=1)
        await desk.store.learn_number(1, AYSE, is_registered=True, now=NOW + SECOND)
        assert await ask(desk, 1, BORA, NOW + SECOND, most=1) == NOW + DAY
        await ask(desk, 1, AYSE, NOW + DAY, most=1)
        assert await desk.store.last_check(AYSE) == Checked(True, NOW + SECOND)

    async def test_what_is_a_month_old_is_forgotten(self, desk: Desk) -> None:
        await desk.store.learn_number(1, AYSE, is_registered=True, now=NOW)
        await desk.store.learn_number(1, BORA, is_registered=True, now=NOW + DAY)
        await desk.store.forget(now=NOW + timedelta(days=30) + SECOND)
        assert await desk.store.last_check(AYSE) is None
        assert await desk.store.last_check(BORA) is not None


async def ask(desk: Desk, account_id: int, number: str, now: datetime, *, most: int = 3) -> datetime | None:
    return await desk.store.ask_number(account_id, number, now=now, most=most, within=DAY)
