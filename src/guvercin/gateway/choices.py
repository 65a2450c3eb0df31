"""What the owner chose in the panel about the house as a whole."""

from collections.abc import Mapping

from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_word
from guvercin.gateway.recent import Recent
from guvercin.store.store import Store

LONGEST_BUSINESS = 60

_FRESH = 5.0
_BUSINESS, _STEPS = "isletme", "ilk_adimlar"


class Choices:
    """The owner's choices, remembered for a moment: every page asks for them."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._recent: Recent[None, Mapping[str, str]] = Recent(
            lambda _: store.settings(), clock=clock, fresh=_FRESH, most=1
        )

    async def business(self) -> str:
        """Answer the name of the business; empty if it was not told."""
        return (await self._recent.get(None)).get(_BUSINESS, "")

    async def name_business(self, name: str) -> None:
        """Name the business. INVALID_FIELD."""
        faults = Faults()
        checked = check_word(faults, name, "business", LONGEST_BUSINESS)
        faults.check()
        await self._set(_BUSINESS, checked or "")

    async def wants_first_steps(self) -> bool:
        """Say whether the list of first steps is shown."""
        return _STEPS not in await self._recent.get(None)

    async def hide_first_steps(self) -> None:
        """Show the list of first steps no more."""
        await self._set(_STEPS, "gizli")

    async def _set(self, name: str, value: str) -> None:
        await self._store.set_setting(name, value)
        self._recent.clear()
