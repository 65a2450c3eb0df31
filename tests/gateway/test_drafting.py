"""Every check of a request's content: each fault in its field, all at once, and what is stored of what is good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.account import Account, Kind, Line, LineState, Manners, OnUnknown
from guvercin.core.category import CATEGORIES, GENERAL, LARGEST_ID
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Content, Draft, File, Lane, Level, priority
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.core.token import Permission, Token, TokenRules
from guvercin.gateway.drafting import (
    FARTHEST_PLAN,
    LATEST_PLAN,
    LONGEST_LIFETIME,
    LONGEST_NAME,
    LONGEST_REFERENCE,
    Faults,
    draft_batch,
    draft_one,
    fingerprint,
)
from guvercin.gateway.requests import Ask, AskBatch, AskRecipient, FilePath

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
MOST = 4_096
PHONE = "+905321234567"
FILE = File(digest="0" * 64, name="a.pdf", media_type="application/pdf", size=1)

ACCOUNT = Account(
    id=1,
    name="Deneme",
    kind=Kind.SANDBOX,
    phone=None,
    is_default=True,
    is_enabled=True,
    pace=SANDBOX_PACE,
    on_unknown=OnUnknown.HOLD,
    line=Line(state=LineState.CONNECTED, since=NOW),
    created_at=NOW,
    manners=Manners(sender_title="Yıldız Kırtasiye"),
)


def token(**rules: Any) -> Token:
    return Token(
        id=1,
        hint="gv_0000000",
        rules=TokenRules(**{"name": "t", "permissions": frozenset(Permission)} | rules),
        created_at=NOW,
        last_used_at=None,
        revoked_at=None,
    )


def asked(**fields: Any) -> Ask:
    return Ask(**{"phone": PHONE, "text": "Merhaba"} | fields)


def draft(*, rules: dict[str, Any] | None = None, now: datetime = NOW, **fields: Any) -> Draft:
    return draft_one(
        asked(**fields),
        ACCOUNT,
        token(**rules or {}),
        known=CATEGORIES,
        now=now,
        max_text=MOST,
        file=None,
        faults=Faults(),
    )


def faults_of(**fields: Any) -> tuple[Code, list[tuple[str, str]]]:
    with pytest.raises(GuvercinError) as refused:
        draft(**fields)
    return refused.value.code, [(fault.where, fault.fault) for fault in refused.value.faults]


def drafts(*lines: AskRecipient, **fields: Any) -> list[Draft]:
    ask = AskBatch(**{"recipients": lines, "text": "Merhaba", "body_hash": b""} | fields)
    return [line.draft for line in draft_batch(ask, ACCOUNT, token(), known=CATEGORIES, now=NOW, max_text=MOST)]


# -- what is stored


def test_a_plain_request_becomes_a_plain_row() -> None:
    assert draft() == Draft(
        account_id=1,
        recipient=PHONE,
        content=Content(text="Merhaba"),
        category=10,
        lane=Lane.SINGLE,
        priority=priority(Level.NORMAL, Lane.SINGLE),
        expires_at=NOW + timedelta(hours=24),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Çalışma günü: İğde ŞÖMİNE ıĞDIR",
        "👋🏽 👨‍👩‍👧‍👦 🇹🇷",
        "1.234,56 ₺\r\n\tTeşekkürler",
        "  başta ve sonda boşluk  ",
        "\u200fמרחבא\u200e",
        "\u0130\u0307",
        "a\u0085b\u2028c",
    ],
)
def test_a_text_is_sent_as_it_was_written(text: str) -> None:
    assert draft(text=text).content.text == text


def test_names_and_references_are_trimmed_and_empty_ones_are_none() -> None:
    made = draft(name="  Ayşe Öztürk ", reference=" FTR-001 ")
    assert (made.recipient_name, made.reference) == ("Ayşe Öztürk", "FTR-001")
    made = draft(name=" ", reference="")
    assert (made.recipient_name, made.reference) == (None, None)


def test_a_file_needs_no_text() -> None:
    ask = Ask(phone=PHONE, text=None, file=FilePath(path="a.pdf"))
    made = draft_one(ask, ACCOUNT, token(), known=CATEGORIES, now=NOW, max_text=MOST, file=FILE, faults=Faults())
    assert made.content == Content(file=FILE)


# -- one fault, many faults


@pytest.mark.parametrize(
    ("fields", "code", "fault"),
    [
        ({"phone": "123"}, Code.INVALID_PHONE, ("phone", "eksik_hane")),
        ({"phone": ""}, Code.INVALID_PHONE, ("phone", "bos")),
        ({"phone": -5}, Code.INVALID_PHONE, None),
        ({"text": None}, Code.EMPTY_TEXT, ("text", "bos_mesaj")),
        ({"text": ""}, Code.EMPTY_TEXT, ("text", "bos_mesaj")),
        ({"text": " \n\t\u00a0"}, Code.EMPTY_TEXT, ("text", "bos_mesaj")),
        ({"text": "a" * (MOST + 1)}, Code.LONG_TEXT, ("text", "uzun_mesaj")),
        ({"text": "a\x00b"}, Code.INVALID_FIELD, ("text", "gecersiz_karakter")),
        ({"text": "a\x1b[31mb"}, Code.INVALID_FIELD, ("text", "gecersiz_karakter")),
        ({"text": "a\x7fb"}, Code.INVALID_FIELD, ("text", "gecersiz_karakter")),
        ({"text": "yarım \ud83d"}, Code.INVALID_FIELD, ("text", "gecersiz_karakter")),
        ({"category": 0}, Code.INVALID_CATEGORY, ("category", "gecersiz_tur")),
        ({"category": -1}, Code.INVALID_CATEGORY, ("category", "gecersiz_tur")),
        ({"category": LARGEST_ID + 1}, Code.INVALID_CATEGORY, ("category", "gecersiz_tur")),
        ({"name": "x" * (LONGEST_NAME + 1)}, Code.INVALID_FIELD, ("name", "uzun")),
        ({"name": "Ay\nşe"}, Code.INVALID_FIELD, ("name", "gecersiz_karakter")),
        ({"name": "Ay\udc00şe"}, Code.INVALID_FIELD, ("name", "gecersiz_karakter")),
        ({"reference": "x" * (LONGEST_REFERENCE + 1)}, Code.INVALID_FIELD, ("reference", "uzun")),
        ({"reference": "FTR\t1"}, Code.INVALID_FIELD, ("reference", "gecersiz_karakter")),
        (
            {"planned_at": NOW - LATEST_PLAN - timedelta(seconds=1)},
            Code.INVALID_TIME,
            ("planned_at", "gecmis_zaman"),
        ),
        ({"planned_at": NOW + FARTHEST_PLAN + timedelta(seconds=1)}, Code.INVALID_TIME, ("planned_at", "uzak_zaman")),
        ({"planned_at": datetime.max.replace(tzinfo=UTC)}, Code.INVALID_TIME, ("planned_at", "uzak_zaman")),
        ({"planned_at": datetime.min.replace(tzinfo=UTC)}, Code.INVALID_TIME, ("planned_at", "gecmis_zaman")),
        (
            {"planned_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
            Code.INVALID_TIME,
            ("planned_at", "uzak_zaman"),
        ),
        (
            {"planned_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
            Code.INVALID_TIME,
            ("planned_at", "gecmis_zaman"),
        ),
        ({"lifetime": timedelta(seconds=59)}, Code.INVALID_TIME, ("lifetime", "aralik")),
        ({"lifetime": timedelta(0)}, Code.INVALID_TIME, ("lifetime", "aralik")),
        ({"lifetime": LONGEST_LIFETIME + timedelta(seconds=1)}, Code.INVALID_TIME, ("lifetime", "aralik")),
        ({"lifetime": timedelta.max}, Code.INVALID_TIME, ("lifetime", "aralik")),
        ({"lifetime": timedelta.min}, Code.INVALID_TIME, ("lifetime", "aralik")),
    ],
)
def test_one_fault_is_told_by_its_own_code(fields: dict[str, Any], code: Code, fault: tuple[str, str] | None) -> None:
    found, faults = faults_of(**fields)
    assert found is code
    assert len(faults) == 1
    assert fault is None or faults == [fault]


def test_several_faults_are_told_at_once() -> None:
    code, faults = faults_of(
        phone="123",
        text="",
        category=0,
        planned_at=NOW - timedelta(days=1),
        lifetime=timedelta(0),
        name="\x00",
        reference="x" * 200,
    )
    assert code is Code.INVALID_FIELD
    assert [where for where, _ in faults] == [
        "phone",
        "category",
        "text",
        "planned_at",
        "lifetime",
        "name",
        "reference",
    ]


def test_one_field_can_have_two_faults() -> None:
    code, faults = faults_of(text="\x07" * (MOST + 1))
    assert code is Code.INVALID_FIELD
    assert faults == [("text", "uzun_mesaj"), ("text", "gecersiz_karakter")]


@given(
    text=st.just("Merhaba") | st.text(),
    name=st.none() | st.text(),
    reference=st.none() | st.text(),
    phone=st.just(PHONE) | st.text() | st.integers(),
    category=st.just(10) | st.integers(),
    planned_at=st.none()
    | st.datetimes(timezones=st.timezones())
    | st.timedeltas(-timedelta(hours=1), timedelta(days=400)).map(NOW.__add__),
    lifetime=st.none() | st.timedeltas() | st.timedeltas(timedelta(0), timedelta(days=31)),
)
def test_whatever_is_asked_is_stored_or_refused_by_its_fields(**fields: Any) -> None:
    try:
        made = draft(**fields)
    except GuvercinError as refused:
        is_well_refused = bool(refused.faults)
    else:
        is_well_refused = True
        assert made.expires_at > NOW
        for word in (made.content.text, made.recipient_name, made.reference):
            assert word is None or word.encode()
        fingerprint(made, asked(**fields))
    assert is_well_refused


# -- limits at their edges


def test_the_limits_themselves_are_allowed() -> None:
    made = draft(
        text="ğ" * MOST,
        name="ş" * LONGEST_NAME,
        reference="x" * LONGEST_REFERENCE,
        category=LARGEST_ID,
        planned_at=NOW + FARTHEST_PLAN,
        lifetime=LONGEST_LIFETIME,
    )
    assert made.due_at == NOW + FARTHEST_PLAN
    assert made.expires_at == NOW + FARTHEST_PLAN + LONGEST_LIFETIME
    assert draft(category=1, lifetime=timedelta(minutes=1)).expires_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), LATEST_PLAN])
def test_a_plan_a_little_late_means_now(late: timedelta) -> None:
    made = draft(planned_at=NOW - late)
    assert made.due_at is None
    assert made.expires_at == NOW + GENERAL.lifetime


def test_a_plan_is_a_moment_wherever_it_was_written() -> None:
    there = (NOW + timedelta(hours=2)).astimezone(timezone(timedelta(hours=3)))
    assert draft(planned_at=there).due_at == NOW + timedelta(hours=2)


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_a_category_gives_lifetime_and_rank(category: int) -> None:
    rules = CATEGORIES[category]
    made = draft(category=category)
    assert (made.expires_at, made.priority) == (NOW + rules.lifetime, priority(rules.level, Lane.SINGLE))
    planned = draft(category=category, planned_at=NOW + timedelta(days=3))
    assert planned.expires_at == NOW + timedelta(days=3) + rules.lifetime
    (bulk,) = drafts(AskRecipient(phone=PHONE), category=category)
    assert bulk.priority < made.priority


def test_an_unknown_category_is_kept_with_a_warning_or_refused_where_the_token_is_strict() -> None:
    made = draft(category=4711)
    assert (made.category, made.warning, made.expires_at) == (4711, Code.UNKNOWN_CATEGORY, NOW + GENERAL.lifetime)
    with pytest.raises(GuvercinError) as refused:
        draft(category=4711, rules={"strict_categories": True})
    assert refused.value.code is Code.INVALID_CATEGORY
    assert draft(category=5, rules={"strict_categories": True}).warning is None


def test_a_doubtful_number_is_sent_with_a_warning() -> None:
    assert draft(phone="0212 123 45 67").warning is Code.NOT_MOBILE
    assert draft(phone="0212 123 45 67", category=4711).warning is Code.UNKNOWN_CATEGORY


# -- batches


def test_a_batch_shares_its_text_and_reference_and_keeps_what_is_a_line_s_own() -> None:
    first, second = drafts(
        AskRecipient(phone=PHONE, name="Ayşe", reference="FTR-001"),
        AskRecipient(phone="05321234568"),
        reference="KMP-1",
        category=5,
    )
    assert (first.recipient_name, first.reference) == ("Ayşe", "FTR-001")
    assert (second.recipient_name, second.reference) == (None, "KMP-1")
    assert {made.lane for made in (first, second)} == {Lane.BULK}
    assert {made.content for made in (first, second)} == {Content(text="Merhaba")}


def test_a_fault_in_a_line_s_words_concerns_the_whole_batch_and_says_where() -> None:
    with pytest.raises(GuvercinError) as refused:
        drafts(
            AskRecipient(phone=PHONE),
            AskRecipient(phone="x", name="\x00"),
            AskRecipient(phone="y", reference="x" * 200),
            category=0,
        )
    assert [fault.where for fault in refused.value.faults] == [
        "category",
        "recipients.1.name",
        "recipients.2.reference",
    ]


@given(st.lists(st.text() | st.integers(), min_size=1, max_size=20))
def test_every_line_becomes_a_row(phones: list[str | int]) -> None:
    made = drafts(*(AskRecipient(phone=phone) for phone in phones))
    assert len(made) == len(phones)
    good = [row.recipient for row in made if row.reason is None]
    assert len(good) == len(set(good))
    assert all(row.recipient.encode() is not None and len(row.recipient) <= LONGEST_NAME for row in made)


# -- what makes a request the same


@pytest.mark.parametrize(
    "difference",
    [
        {"recipient": "+905321234568"},
        {"content": Content(text="Merhaba!")},
        {"content": Content(text="Merhaba", file=FILE)},
        {"content": Content(text="Merhaba", file=replace(FILE, digest="1" * 64))},
        {"reference": "FTR-001"},
        # What stands in one field must not pass for what stands in the next.
        {"content": Content(text=""), "reference": "Merhaba"},
    ],
)
def test_a_request_that_differs_has_another_fingerprint(difference: dict[str, Any]) -> None:
    plain = replace(draft(), content=Content(text="Merhaba"))
    assert fingerprint(replace(plain, **difference), asked()) != fingerprint(plain, asked())


def test_a_planned_time_that_is_to_come_is_part_of_a_request() -> None:
    planned_at = NOW + timedelta(seconds=2)
    local = planned_at.astimezone(timezone(timedelta(hours=3)))
    times = (None, planned_at, planned_at + timedelta(microseconds=1))
    assert len({fingerprint(draft(planned_at=time), asked(planned_at=time)) for time in times}) == len(times)
    assert fingerprint(draft(planned_at=planned_at), asked()) == fingerprint(draft(planned_at=local), asked())


def test_an_account_is_part_of_a_request_as_it_was_asked_for() -> None:
    first, other = draft(), replace(draft(), account_id=2)
    assert fingerprint(first, asked()) == fingerprint(other, asked()), "the default has changed, the request hasn't"
    assert fingerprint(first, asked(account_id=1)) != fingerprint(other, asked(account_id=2))


def test_what_no_reader_would_call_a_difference_makes_none() -> None:
    plain = draft()
    same = (
        draft(phone="0532 123 45 67"),
        draft(name="Ayşe"),
        draft(category=1),
        draft(planned_at=NOW - timedelta(minutes=1)),
        replace(draft(), expires_at=NOW + timedelta(days=9)),
    )
    assert {fingerprint(made, asked()) for made in same} == {fingerprint(plain, asked())}
    named = replace(plain, content=Content(file=FILE))
    renamed = replace(plain, content=Content(file=replace(FILE, name="b.pdf")))
    assert fingerprint(named, asked()) == fingerprint(renamed, asked()), "a file is its content"


# -- advertising


IMPRINT = "\n\nYıldız Kırtasiye\nBu mesajları almak istemiyorsanız RET yazın."


def test_a_commercial_message_says_who_sends_it_and_how_to_refuse() -> None:
    assert draft(category=9, text="Yeni ürünler").content.text == f"Yeni ürünler{IMPRINT}"
    assert draft(category=8, text="Yeni ürünler").content.text == "Yeni ürünler"
    made = draft_one(
        Ask(phone=PHONE, text=None, category=9, file=FilePath(path="a.pdf")),
        ACCOUNT,
        token(),
        known=CATEGORIES,
        now=NOW,
        max_text=MOST,
        file=FILE,
        faults=Faults(),
    )
    assert made.content.text == IMPRINT.strip()


def test_its_imprint_takes_room() -> None:
    longest = MOST - len(IMPRINT)
    assert len(draft(category=9, text="a" * longest).content.text or "") == MOST
    assert faults_of(category=9, text="a" * (longest + 1))[0] is Code.LONG_TEXT


def test_nobody_advertises_without_a_title() -> None:
    nameless = replace(ACCOUNT, manners=Manners())
    with pytest.raises(GuvercinError) as refused:
        draft_one(
            asked(category=9),
            nameless,
            token(),
            known=CATEGORIES,
            now=NOW,
            max_text=MOST,
            file=None,
            faults=Faults(),
        )
    assert refused.value.code is Code.NO_SENDER_TITLE


def test_each_row_of_a_commercial_batch_has_its_imprint() -> None:
    made = drafts(
        AskRecipient(phone=PHONE, name="Ali"),
        AskRecipient(phone="+905331234567", text="Kendi metni"),
        text="Sayın {isim|müşterimiz}",
        is_template=True,
        category=9,
    )
    assert [each.content.text for each in made] == [f"Sayın Ali{IMPRINT}", f"Kendi metni{IMPRINT}"]


def test_a_notice_that_sounds_like_advertising_carries_a_note() -> None:
    assert draft(text="Bu hafta %20 indirim").warning is Code.SOUNDS_COMMERCIAL
    assert draft(text="Bu hafta %20 indirim", category=9).warning is None
    assert draft(text="Bu hafta %20 indirim", category=4711).warning is Code.UNKNOWN_CATEGORY
    one, other = drafts(AskRecipient(phone=PHONE, text="Kampanya!"), AskRecipient(phone="+905331234567"), text="Hazır")
    assert (one.warning, other.warning) == (Code.SOUNDS_COMMERCIAL, None)
