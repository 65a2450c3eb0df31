"""What WhatsApp forbids an account by itself: read off the engine's log, where people's names stand as well."""

import json
from datetime import UTC, datetime

import pytest
from tests.transports.web.bedside import Bedside, Linked, until

from guvercin.core.errors import Code
from guvercin.core.outcome import Restricted
from guvercin.transports.web.protocol import RestrictionHeard
from guvercin.transports.web.restrictions import MONTHLY, MONTHLY_WARNING, NEW_CHATS, restriction_in

END = datetime(2026, 12, 4, 9, 0, tzinfo=UTC)
LOCK, CAP = "xwa2_notify_account_reachout_timelock", "xwa2_notify_new_chat_messages_capping_info_update"
LOCKED = {
    LOCK: {"enforcement_type": "RESTRICT_ALL_COMPANIONS", "is_active": True, "time_enforcement_ends": "1796374800"}
}
FREED = {LOCK: {"is_active": False}}
CAPPED = {CAP: {"capping_status": "CAPPED", "used_quota": 9, "total_quota": 9, "cycle_end_timestamp": "1796374800"}}
WARNED = {CAP: {"capping_status": "FIRST_WARNING", "used_quota": 5, "total_quota": 9}}
WARNED_UNTIL = {CAP: {"capping_status": "SECOND_WARNING", "total_quota": -1, "cycle_end_timestamp": "1796374800"}}
NEARLY = {CAP: {"capping_status": "FIRST_WARNING", "used_quota": 80, "total_quota": 100}}
NONE = {CAP: {"capping_status": "NONE"}}


def stanza(name: str, told: object, *, attrs: str = 'from="s.whatsapp.net" id="1" t="2" type="mex"') -> str:
    data = json.dumps({"data": told})
    return f'<notification {attrs}><update op_name="{name}">{data}</update></notification>'


@pytest.mark.parametrize(
    ("name", "told", "heard"),
    [
        (
            "NotificationUserReachoutTimelockUpdate",
            LOCKED,
            RestrictionHeard(what=NEW_CHATS, is_active=True, until=END),
        ),
        (
            "NotificationUserReachoutTimelockUpdate",
            FREED,
            RestrictionHeard(what=NEW_CHATS, is_active=False, until=None),
        ),
        ("MessageCappingInfoNotification", CAPPED, RestrictionHeard(what=MONTHLY, is_active=True, until=END)),
        ("MessageCappingInfoNotification", WARNED, RestrictionHeard(what=MONTHLY_WARNING, is_active=True, until=None)),
        (
            "MessageCappingInfoNotification",
            WARNED_UNTIL,
            RestrictionHeard(what=MONTHLY_WARNING, is_active=True, until=END),
        ),
        ("MessageCappingInfoNotification", NEARLY, RestrictionHeard(what=MONTHLY, is_active=True, until=None)),
        ("MessageCappingInfoNotification", NONE, RestrictionHeard(what=MONTHLY, is_active=False, until=None)),
        ("NotificationUserReachoutTimelockUpdate", CAPPED, None),
        ("NotificationNewsletterUpdate", LOCKED, None),
    ],
    ids=[
        "locked",
        "freed",
        "capped",
        "warned",
        "warned again",
        "nearly used up",
        "a new month",
        "of another shape",
        "another notice",
    ],
)
def test_what_a_notice_says(name: str, told: object, heard: RestrictionHeard | None) -> None:
    assert restriction_in(stanza(name, told)) == heard


def test_what_people_call_themselves_restricts_nobody() -> None:
    notice = stanza("NotificationUserReachoutTimelockUpdate", LOCKED)
    attrs = f'from="90532@s.whatsapp.net" notify="x" type="mex" y="{notice[:-2]}" type="picture"'
    for line in (
        f'<message from="90532@lid" notify="{notice}" type="text"/>',
        f"<notification {attrs}><set/></notification>",
        f'<notification notify="{notice}" type="mex"><update op_name="X">{{}}</update></notification>',
        stanza("NotificationUserReachoutTimelockUpdate", LOCKED, attrs='type="picture"'),
    ):
        assert restriction_in(line) is None, line


@pytest.mark.xdist_group("whatsapp")
async def test_the_real_engine_lets_it_be_seen(side: Bedside, line: Linked) -> None:
    assert line.device is not None
    for name, told, restricted in (
        (
            "NotificationUserReachoutTimelockUpdate",
            LOCKED,
            Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, until=END),
        ),
        (
            "NotificationUserReachoutTimelockUpdate",
            FREED,
            Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=False),
        ),
        (
            "MessageCappingInfoNotification",
            CAPPED,
            Restricted(code=Code.MONTHLY_LIMIT, is_active=True, until=END),
        ),
        ("MessageCappingInfoNotification", WARNED, Restricted(code=Code.MONTHLY_WARNING, is_active=True)),
    ):
        await side.call(line.phone.is_told(line.device, name, told))
        await until(lambda restricted=restricted: restricted in line.told)  # type: ignore[misc] # bound
