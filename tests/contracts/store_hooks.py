"""Laws of hooks: tries are counted by the hour, for a day and as long as the hook is there."""

from datetime import timedelta

from tests.contracts.desk import AYSE, HOUR, Desk, draft

from guvercin.core.hook import Delivery, DeliveryState, HookEvent
from guvercin.core.message import Status
from guvercin.store.verbs.hooks import NewHook


class HookLaws:
    async def test_tries_are_counted_by_the_hour(self, desk: Desk) -> None:
        new = NewHook(token_id=1, url="https://x.example/", events=[HookEvent.SENT], account_ids=None, sealed=b"s")
        hook = await desk.store.add_hook(new, now=desk.now)
        await desk.lead(draft(AYSE), Status.SENT)
        window = await desk.store.hook_window(hook, after=hook.cursor, now=desk.now, due=9, fresh=9)
        (notice,) = window.fresh

        async def settle(state: DeliveryState, tries: int, *, is_tried: bool = True) -> None:
            kept = Delivery(
                notice=notice,
                state=state,
                tries=tries,
                tried_at=desk.now if is_tried else None,
                next_at=desk.now + HOUR if state is DeliveryState.WAITING else None,
            )
            await desk.store.settle_window(
                hook.id, [kept], stood_at=0, upto=window.upto, failing_since=None, is_well_again=False, now=desk.now
            )

        assert await desk.store.hook_tries(now=desk.now) == {}
        await settle(DeliveryState.WAITING, 0, is_tried=False)
        assert await desk.store.hook_tries(now=desk.now) == {}
        await settle(DeliveryState.WAITING, 1)
        desk.now += HOUR
        await settle(DeliveryState.DONE, 2)
        assert await desk.store.hook_tries(now=desk.now) == {hook.id: (1, 1)}
        assert await desk.store.hook_tries(now=desk.now + timedelta(hours=23)) == {hook.id: (1, 0)}
        assert await desk.store.hook_tries(now=desk.now + timedelta(hours=24)) == {}
        await desk.store.remove_hook(hook.id, now=desk.now)
        assert await desk.store.hook_tries(now=desk.now) == {}
