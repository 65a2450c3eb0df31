"""The log is combed a window at a time: every row is found, and no question reads more than its window."""

from dataclasses import replace
from functools import partial

import pytest
from tests.contracts.desk import AYSE, HOUR, NOW, Desk, draft

from guvercin.core.log import MessageFilter, Page
from guvercin.core.message import Content
from guvercin.store import reading
from guvercin.store.combing import pattern
from guvercin.store.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio


async def comb(desk: Desk, wanted: MessageFilter, below: int | None = None) -> Page:
    store = desk.store
    assert isinstance(store, SqliteStore)
    return await store._read(partial(reading.page, wanted=wanted, limit=2, below=below, window=3))


async def fill(desk: Desk) -> list[int]:
    texts = ["Işıklar", "yok", "ışıklar", "yok", "yok", "yok", "yok", "yok", "yok", "IŞIKLAR"]
    ids = []
    for text in texts:
        taken = await desk.take(replace(draft(AYSE), content=Content(text=text)))
        assert taken.standing is not None
        ids.append(taken.standing.id)
    return ids


async def test_all_that_says_it_is_found_window_by_window(desk: Desk) -> None:
    ids = await fill(desk)
    found: list[int] = []
    below: int | None = None
    asked = 0
    while True:
        page = await comb(desk, MessageFilter(text="işik"), below)
        found += [message.id for message in page.messages]
        below, asked = page.next_id, asked + 1
        if below is None:
            break
    assert found == [ids[9], ids[2], ids[0]]
    assert asked == 4, "a window without a find is a page too, and an empty one"


async def test_a_time_without_messages_ends_the_search(desk: Desk) -> None:
    await fill(desk)
    page = await comb(desk, MessageFilter(text="ışık", since=NOW + HOUR))
    assert (page.messages, page.next_id) == ((), None)


async def test_few_rows_are_looked_at_at_once(desk: Desk) -> None:
    ids = await fill(desk)
    page = await comb(desk, MessageFilter(text="ışık", recipient=AYSE))
    assert [message.id for message in page.messages] == [ids[9], ids[2]]
    assert page.next_id == ids[2]


@pytest.mark.parametrize(
    ("words", "glob"),
    [("x*?[", "*[xX][*][?][[]*"), (" şu ", "*[sşŞS][uüÜûÛU]*"), ("ß1", "*ß1*"), ("kâr", "*[kK][aâÂA][rR]*")],
)
def test_signs_mean_themselves(words: str, glob: str) -> None:
    assert pattern(words) == glob
