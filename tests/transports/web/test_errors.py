"""The engine's sentences, as the real one has said them, and what they mean."""

from datetime import UTC, datetime, timedelta

import pytest

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Deferred, Lost, Outcome, Refused, Scope
from guvercin.transports.base import FILE_AWAY, FILE_GONE
from guvercin.transports.web.errors import (
    UNSTATED_BAN,
    check_outcome,
    farewell_of_ban,
    farewell_of_logout,
    farewell_of_refusal,
    outcome_of,
)
from guvercin.transports.web.protocol import HAS_LEFT

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
DOWN = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
LATER = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
ONCE_MORE = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, most_attempts=2)
TOO_FAST = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, scope=Scope.ACCOUNT)
IN_DOUBT = Lost(Code.ANSWER_LOST)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("server returned error 463", Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463")),
        ("server returned error 475", Refused(reason=Code.MONTHLY_LIMIT, scope=Scope.ACCOUNT, detail="475")),
        ("server returned error 479", ONCE_MORE),
        ("server returned error 429", TOO_FAST),
        ("server returned error 400", Refused(reason=Code.WHATSAPP_REFUSED, detail="400")),
        ("server returned error 999", Refused(reason=Code.WHATSAPP_REFUSED, detail="999")),
        (
            "no LID found for 905329999999@s.whatsapp.net from server",
            Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT),
        ),
        ("failed to get device list: failed to send usync query: websocket not connected", DOWN),
        ("failed to get user info for 90532@s.whatsapp.net to fill LID cache: info query timed out", LATER),
        ("failed to send message node: websocket not connected", DOWN),
        ("the store doesn't contain a device JID", DOWN),
        (HAS_LEFT, DOWN),
        ("upload failed with status code 507", LATER),
        ("[Errno 2] No such file or directory: '/spool/ab'", FILE_GONE),
        ("[Errno 24] Too many open files: '/spool/ab'", FILE_AWAY),
        ("[Errno 116] Stale file handle: '/spool/ab'", FILE_AWAY),
        # From here on bytes may have left.
        ("websocket not connected", IN_DOUBT),
        ("timed out waiting for message send response", IN_DOUBT),
        ("websocket disconnected before message send returned response", IN_DOUBT),
        ("failed to send message node: failed to write frame", IN_DOUBT),
        ("something that nobody has ever seen", IN_DOUBT),
        ("", IN_DOUBT),
    ],
)
def test_what_a_failed_send_means(error: str, outcome: Outcome) -> None:
    assert outcome_of(error) == outcome


def test_what_a_failed_lookup_means() -> None:
    assert check_outcome("info query returned status 429: rate-overlimit") == TOO_FAST
    assert check_outcome("websocket not connected") == DOWN


@pytest.mark.parametrize(
    ("reason", "on_connect", "news", "code"),
    [
        ("LOGGED_OUT", False, LineNews.LOGGED_OUT, Code.REMOVED),
        ("LOGGED_OUT", True, LineNews.LOGGED_OUT, Code.REMOVED),
        ("MAIN_DEVICE_GONE", True, LineNews.BLOCKED, Code.LOCKED),
        ("UNKNOWN_LOGOUT", True, LineNews.BLOCKED, Code.CLOSED),
        ("UNLINKED", False, LineNews.LOGGED_OUT, Code.NOT_LINKED),
    ],
)
def test_what_the_end_of_a_session_means(reason: str, *, on_connect: bool, news: LineNews, code: Code) -> None:
    farewell = farewell_of_logout(reason, on_connect=on_connect)
    assert (farewell.news, farewell.code) == (news, code)


def test_a_ban_lasts_as_long_as_it_was_said() -> None:
    assert farewell_of_ban("BLOCKED_BY_USERS", 3_600, NOW).until == NOW + timedelta(hours=1)
    assert farewell_of_ban(None, None, NOW).until == NOW + UNSTATED_BAN


def test_a_ban_of_an_unheard_reason_is_a_ban_all_the_same() -> None:
    assert farewell_of_ban("WROTE_TOO_WELL", None, NOW).code is Code.TEMPORARY_BAN


def test_an_old_program_is_told_from_a_bad_moment() -> None:
    assert farewell_of_refusal("BAD_USER_AGENT").code is Code.ENGINE_OUTDATED
    assert farewell_of_refusal("INTERNAL_SERVER_ERROR").news is LineNews.DROPPED
