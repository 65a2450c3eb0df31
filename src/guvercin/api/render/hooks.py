"""From webhooks and deliveries to their answers."""

from collections.abc import Iterable
from datetime import tzinfo

from guvercin.api.answers.hooks import (
    DeliveryPage,
    DeliveryRecord,
    HookAnswer,
    HookList,
    HookRecord,
    NewHookAnswer,
    NewHookRecord,
    TrialAnswer,
    TrialRecord,
)
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.core.call import CallTrouble
from guvercin.core.hook import Delivery, Hook, notice_id
from guvercin.gateway.hooks import Trial
from guvercin.locale import Translator
from guvercin.locale.terms import CALLS


def new_hook(hook: Hook, secret: str, message: str) -> NewHookAnswer:
    """Answer a hook with its secret, the one time that it is told."""
    record = NewHookRecord(id=hook.id, url=hook.url, events=sorted(hook.events), secret=secret)
    return NewHookAnswer(success=True, data=record, message=message)


def hook_list(hooks: Iterable[Hook], zone: tzinfo) -> HookList:
    """Answer the hooks."""
    return HookList(success=True, data=[_hook(hook, zone) for hook in hooks])


def hook_record(hook: Hook, zone: tzinfo) -> HookAnswer:
    """Answer one hook."""
    return HookAnswer(success=True, data=_hook(hook, zone))


def _hook(hook: Hook, zone: tzinfo) -> HookRecord:
    return HookRecord(
        id=hook.id,
        url=hook.url,
        events=sorted(hook.events),
        status=hook.state,
        accounts=None if hook.account_ids is None else sorted(hook.account_ids),
        reason=hook.closed_for,
        failing_since=hook.failing_since and clock_time(hook.failing_since, zone),
        delivered_at=hook.delivered_at and clock_time(hook.delivered_at, zone),
        created_at=clock_time(hook.created_at, zone),
        created_at_iso=iso_time(hook.created_at, zone),
    )


def trial_answer(tried: Trial, say: Translator) -> TrialAnswer:
    """Answer what came of trying a hook out."""
    called = tried.called
    record = TrialRecord(
        is_taken=called.trouble is None,
        status=called.status,
        reason=called.trouble,
        message=None if called.trouble is None else say(CALLS[called.trouble]),
        took_ms=int(called.took.total_seconds() * 1_000),
        sent=tried.body.decode(),
        answered=called.shown,
    )
    return TrialAnswer(success=True, data=record)


def delivery_page(deliveries: Iterable[Delivery], after: str | None, zone: tzinfo) -> DeliveryPage:
    """Answer a page of deliveries."""
    return DeliveryPage(success=True, data=[_delivery(each, zone) for each in deliveries], next=after)


def _delivery(each: Delivery, zone: tzinfo) -> DeliveryRecord:
    notice = each.notice
    return DeliveryRecord(
        id=notice.id,
        kind=notice.kind,
        name=notice_id(notice.id),
        at=clock_time(notice.at, zone),
        status=each.state,
        attempts=each.tries,
        tried_at=each.tried_at and clock_time(each.tried_at, zone),
        next_at=each.next_at and clock_time(each.next_at, zone),
        http=each.status,
        reason=None if each.trouble is None else CallTrouble(each.trouble),
        took_ms=each.took_ms,
        log_id=notice.message_id,
        batch_id=notice.batch_id,
        account_id=notice.account_id,
    )
