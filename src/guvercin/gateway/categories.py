"""The categories of the business: the presets, what their owner changes of them, and the owner's own.

They belong to the whole business, so a token that is limited to some accounts reads them and changes none.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from guvercin.core.category import CATEGORIES, GENERAL, OWN, Category, with_kept
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import LONGEST_LIFETIME, Faults, check_word
from guvercin.gateway.recent import Recent
from guvercin.gateway.requests import CategoryChange
from guvercin.store.store import Store

LONGEST_NAME = 60
_CODE = re.compile(r"[a-z][a-z0-9_]{0,29}")
_FRESH = 1.0
"""Seconds for which what the owner keeps is believed without being told of a change."""


class Categories:
    """One business's categories."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._recent: Recent[None, Mapping[int, Category]] = Recent(self._read, clock=clock, fresh=_FRESH, most=1)

    async def known(self) -> Mapping[int, Category]:
        """Answer every category, by id."""
        return await self._recent.get(None)

    async def change(self, token: Token, category_id: int, change: CategoryChange) -> Category:
        """Change a category, or make one of the owner's own; what is null stays as it is.

        A new one without a name goes by its id. INVALID_CATEGORY: nobody may define that id. INVALID_FIELD: what a
        preset is stays. NOT_ALLOWED.
        """
        _check_owner(token)
        if category_id not in CATEGORIES and category_id not in OWN:
            raise GuvercinError(Code.INVALID_CATEGORY, faults=(FieldFault("category", Code.INVALID_CATEGORY.value),))
        faults = Faults()
        changed = _changed(faults, (await self.known()).get(category_id) or _nameless(category_id), change)
        faults.check()
        await self._store.keep_category(changed, now=self._clock.now())
        self._recent.forget(None)
        return changed

    async def drop(self, token: Token, category_id: int) -> None:
        """Forget a category of the owner's own, or what was changed of a preset. NOT_FOUND, NOT_ALLOWED.

        Messages that were sent under the id keep it; new ones follow the rules of an unknown one.
        """
        _check_owner(token)
        is_gone = await self._store.drop_category(category_id, now=self._clock.now())
        self._recent.forget(None)
        if not is_gone and category_id not in CATEGORIES:
            raise GuvercinError(Code.NOT_FOUND)

    async def _read(self, _: None) -> Mapping[int, Category]:
        return with_kept(await self._store.kept_categories())


def _check_owner(token: Token) -> None:
    if token.rules.account_ids is not None:
        raise GuvercinError(Code.NOT_ALLOWED)


def _nameless(category_id: int) -> Category:
    return replace(GENERAL, id=category_id, code="", name=f"Tür {category_id}")


def _code_of(name: str) -> str | None:
    """Answer the code that a name comes to; null: none that could be one."""
    code = fold(name).replace(" ", "_")
    return code if _CODE.fullmatch(code) else None


def _changed(faults: Faults, before: Category, change: CategoryChange) -> Category:
    """Answer a category as it will be, and note what can't be changed so."""
    preset = CATEGORIES.get(before.id)
    name = check_word(faults, change.name, "label", LONGEST_NAME)
    if change.name is not None and name is None:
        faults.add(Code.INVALID_FIELD, "label", "bos")
    code = change.code or before.code or _code_of(name or before.name) or f"tur_{before.id}"
    if _CODE.fullmatch(code) is None:
        faults.add(Code.INVALID_FIELD, "code", "gecersiz_kod")
    lifetime = change.lifetime
    if lifetime is not None and not timedelta(minutes=1) <= lifetime <= LONGEST_LIFETIME:
        faults.add(Code.INVALID_FIELD, "lifetime", "aralik", wanted=f"1–{LONGEST_LIFETIME // timedelta(minutes=1)}")
    changed = replace(
        before,
        code=code,
        name=name or before.name,
        is_commercial=before.is_commercial if change.is_commercial is None else change.is_commercial,
        keeps_quiet_hours=before.keeps_quiet_hours if change.keeps_quiet_hours is None else change.keeps_quiet_hours,
        lifetime=lifetime or before.lifetime,
        level=before.level if change.level is None else change.level,
    )
    if preset is not None:
        fixed = (
            ("code", changed.code, preset.code),
            ("label", changed.name, preset.name),
            ("is_commercial", changed.is_commercial, preset.is_commercial),
        )
        for where, is_now, was in fixed:
            if is_now != was:
                faults.add(Code.INVALID_FIELD, where, "hazir_tur")
    return changed
