"""Laws of the categories that an owner keeps."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contracts.desk import NOW, Desk

from guvercin.core.category import CATEGORIES, GENERAL
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Level

SERVICE = replace(
    GENERAL,
    id=11,
    code="servis",
    name="Servis ğ",
    is_commercial=True,
    keeps_quiet_hours=True,
    lifetime=timedelta(minutes=90),
    level=Level.HIGH,
)


class CategoryLaws:
    async def test_what_an_owner_keeps_comes_back_as_it_was(self, desk: Desk) -> None:
        assert await desk.store.kept_categories() == ()
        late = replace(CATEGORIES[5], lifetime=timedelta(hours=2))
        for each in (SERVICE, late):
            await desk.store.keep_category(each, now=NOW)
        assert list(await desk.store.kept_categories()) == [late, SERVICE]
        renamed = replace(SERVICE, name="Bakım")
        await desk.store.keep_category(renamed, now=NOW)
        assert list(await desk.store.kept_categories()) == [late, renamed]
        event = (await desk.store.events_after(0, limit=100))[-1]
        assert (event.kind, event.detail) == (EventKind.CATEGORY_CHANGED, {"tur_id": 11, "ne": "degistirildi"})

    async def test_what_is_dropped_is_gone_once(self, desk: Desk) -> None:
        await desk.store.keep_category(SERVICE, now=NOW)
        assert await desk.store.drop_category(11, now=NOW)
        assert not await desk.store.drop_category(11, now=NOW)
        assert await desk.store.kept_categories() == ()

    async def test_a_code_names_one_category(self, desk: Desk) -> None:
        await desk.store.keep_category(SERVICE, now=NOW)
        for code, id_ in (("servis", 12), ("fatura", 12), ("genel", 11)):
            with pytest.raises(GuvercinError) as refused:
                await desk.store.keep_category(replace(SERVICE, id=id_, code=code), now=NOW)
            assert refused.value.code is Code.INVALID_FIELD
        assert list(await desk.store.kept_categories()) == [SERVICE]
