"""What Meta tells by webhook: each item is read on its own, and nothing is dropped without a word."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.meta_schema import needs_samples, samples

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.inbound import SPOKEN, Media
from guvercin.core.inbound import InboundKind as What
from guvercin.core.outcome import (
    Inbound,
    LineEvent,
    NotUnderstood,
    NumberNews,
    Preference,
    Receipt,
    ReceiptKind,
    Restricted,
    TemplateNews,
)
from guvercin.transports.cloud import hooks
from guvercin.transports.cloud.errors import MEANINGS, Kind, meaning
from guvercin.transports.cloud.payloads import GraphError, error_of

AT = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
US = "1122334455667"


def status(remote_id: str = "wamid.1", word: str = "delivered", **more: Any) -> dict[str, Any]:
    return {
        "id": remote_id,
        "status": word,
        "timestamp": str(int(AT.timestamp())),
        "recipient_id": "905321234567",
    } | more


def call(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    changes = [{"value": {"metadata": {"phone_number_id": US}} | value, "field": field} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def read(body: Any) -> list[Any]:
    return hooks.events(body, number_id=US)


def test_a_signature_is_taken_over_the_bytes_as_they_came() -> None:
    # The vector of a body with Meta's escapes: decoded and written again it would be another one.
    body = (
        rb'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"messages":[{"text":'
        rb'{"body":"\u0130PTAL"}}]},"field":"messages"}]}]}'
    )
    signature = "sha256=d26dfa482bf0ad359628b76279173d272d186bf3cbf2bd41d17ee848ec59aee6"
    assert hooks.is_signed(body, signature, "app-secret")
    assert not hooks.is_signed(body, signature, "another")
    assert not hooks.is_signed(body.replace(rb"\u0130", "İ".encode()), signature, "app-secret")
    assert not hooks.is_signed(body, signature.removeprefix("sha256="), "app-secret")


def test_a_status_is_a_receipt_with_our_id() -> None:
    (receipt,) = read(call({"statuses": [status(biz_opaque_callback_data="42")]}))
    assert receipt == Receipt(remote_id="wamid.1", kind=ReceiptKind.DELIVERED, at=AT, message_id=42)


@pytest.mark.parametrize("foreign", ["", "abc", "-1", "1.5", "٤٢", "9" * 40, 42, None, ["42"]])
def test_another_programs_word_is_none_of_our_ids(foreign: Any) -> None:
    (receipt,) = read(call({"statuses": [status(biz_opaque_callback_data=foreign)]}))
    assert receipt.message_id is None


def test_a_batch_of_a_thousand_is_read_whole() -> None:
    statuses = [status(f"wamid.{number}") for number in range(1_000)]
    found = read(call({"statuses": statuses[:400]}, {"statuses": statuses[400:]}))
    assert [receipt.remote_id for receipt in found] == [each["id"] for each in statuses]


def test_a_bad_item_costs_its_neighbours_nothing() -> None:
    bad: list[Any] = [
        None,
        7,
        "x",
        [],
        {},
        {"id": "wamid.9"},
        status(timestamp="soon"),
        status(timestamp="9" * 30),
        status(timestamp=None),
        status(id=""),
        status(id=7),
        status(word="sent") | {"status": ["sent"]},
        status(word="warned"),
    ]
    for place in range(len(bad)):
        items = [status("wamid.1"), *bad[: place + 1], status("wamid.2")]
        found = read(call({"statuses": items}))
        receipts = [event.remote_id for event in found if isinstance(event, Receipt)]
        assert receipts == ["wamid.1", "wamid.2"]
        assert sum(isinstance(event, NotUnderstood) for event in found) == place + 1


def test_what_belongs_to_another_number_is_not_ours() -> None:
    body = call({"statuses": [status()], "metadata": {"phone_number_id": "404"}}, {"statuses": [status()]})
    assert [type(event) for event in read(body)] == [NotUnderstood, Receipt]


def test_a_customers_words_are_heard_in_every_form() -> None:
    base = {"id": "wamid.7", "timestamp": str(int(AT.timestamp())), "from": "905321234567"}
    forms: list[dict[str, Any]] = [
        {"type": "text", "text": {"body": "DUR"}},
        {"type": "button", "button": {"text": "DUR", "payload": "x"}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "DUR"}}},
        {"type": "image", "image": {"id": "5", "caption": "DUR"}},
    ]
    for form in forms:
        (heard,) = read(call({"messages": [base | form]}))
        assert isinstance(heard, Inbound)
        assert (heard.remote_id, heard.sender, heard.text, heard.at) == ("wamid.7", "+905321234567", "DUR", AT)
        assert heard.kind in SPOKEN


FORMS: list[tuple[dict[str, Any], What, str, Media | None]] = [
    ({"type": "text", "text": {"body": "Selam"}}, What.TEXT, "Selam", None),
    (
        {"type": "image", "image": {"id": "5", "caption": "Bu mu?", "mime_type": "image/jpeg", "sha256": "x"}},
        *(What.IMAGE, "Bu mu?", Media(type="image/jpeg")),
    ),
    (
        {"type": "document", "document": {"id": "5", "filename": "FTR.pdf", "mime_type": "application/pdf"}},
        *(What.DOCUMENT, "", Media(type="application/pdf", name="FTR.pdf")),
    ),
    ({"type": "audio", "audio": {"id": "5", "mime_type": "audio/ogg"}}, What.AUDIO, "", Media(type="audio/ogg")),
    ({"type": "video", "video": {"id": "5", "caption": "Bak"}}, What.VIDEO, "Bak", Media()),
    ({"type": "sticker", "sticker": {"id": "5"}}, What.STICKER, "", Media()),
    (
        {"type": "location", "location": {"latitude": 41.01, "longitude": 28.97, "name": "Dükkân"}},
        *(What.LOCATION, "Dükkân\n41.010000, 28.970000", None),
    ),
    ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bora"}}, {}, 5]}, What.CONTACT, "Bora", None),
    ({"type": "reaction", "reaction": {"message_id": "w", "emoji": "+"}}, What.REACTION, "+", None),
    ({"type": "button", "button": {"text": "Evet"}}, What.CHOICE, "Evet", None),
    ({"type": "order", "order": {"catalog_id": "1"}}, What.OTHER, "", None),
    ({"type": "image", "image": 5}, What.IMAGE, "", None),
    ({"type": "contacts", "contacts": 5}, What.CONTACT, "", None),
    ({"type": "unsupported"}, What.OTHER, "", None),
    ({}, What.OTHER, "", None),
]


@pytest.mark.parametrize(("form", "kind", "text", "media"), FORMS)
def test_what_a_customer_sends_is_described(form: dict[str, Any], kind: What, text: str, media: Media | None) -> None:
    base = {"id": "wamid.7", "timestamp": "1", "from": "905321234567"}
    (heard,) = read(call({"messages": [base | form]}))
    assert isinstance(heard, Inbound)
    assert (heard.kind, heard.text, heard.media) == (kind, text, media)


def test_a_customer_is_known_by_the_name_that_they_gave_themselves() -> None:
    base = {"timestamp": "1", "type": "text", "text": {"body": "a"}}
    messages = [
        base | {"id": "w1", "from": "905321234567"},
        base | {"id": "w2", "from_user_id": "TR.13491"},
        base | {"id": "w3", "from": "905339999999"},
    ]
    contacts: list[Any] = [
        {"wa_id": "905321234567", "profile": {"name": "Ayşe"}},
        {"user_id": "TR.13491", "profile": {"name": "Bora"}},
        {"wa_id": "905339999999", "profile": {}},
        {"profile": {"name": "Cem"}},
        None,
    ]
    found = read(call({"messages": messages, "contacts": contacts}))
    assert [event.sender_name for event in found if isinstance(event, Inbound)] == ["Ayşe", "Bora", None]


def test_a_customer_without_a_number_is_heard_by_metas_id() -> None:
    item = {"id": "wamid.7", "timestamp": "1", "type": "text", "text": {"body": "a"}, "from_user_id": "TR.13491"}
    (heard,) = read(call({"messages": [item]}))
    assert heard.sender == "TR.13491"


def test_what_a_customer_chose_about_advertising_is_heard() -> None:
    item = {"wa_id": "905321234567", "category": "marketing_messages", "value": "stop", "timestamp": 1731705721}
    nameless = {**item, "wa_id": None, "user_id": "TR.13491", "value": "resume"}
    odd = [{**item, "value": "later"}, {**item, "category": "weather"}, {**item, "timestamp": None}, {}, None]
    found = read(call({"user_preferences": [item, nameless, *odd]}, field="user_preferences"))
    at = datetime.fromtimestamp(1731705721, UTC)
    assert found[:2] == [
        Preference(sender="+905321234567", wants_advertising=False, at=at),
        Preference(sender="TR.13491", wants_advertising=True, at=at),
    ]
    unclear = [event for event in found[2:] if isinstance(event, NotUnderstood)]
    assert [event.what for event in unclear] == ["user_preferences"] * len(odd)


def test_who_stopped_advertising_is_told_as_what_it_is() -> None:
    late = status(word="failed", errors=[{"code": 131050, "title": "stopped"}])
    (receipt,) = read(call({"statuses": [late]}))
    assert receipt.reason is Code.OPTED_OUT
    assert meaning(GraphError(code=131050)).reason is Code.OPTED_OUT


@pytest.mark.parametrize("event", ["ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"])
def test_an_account_that_is_gone_blocks_its_line(event: str) -> None:
    assert read(call({"event": event}, field="account_update")) == [LineEvent(news=LineNews.BLOCKED, code=Code.CLOSED)]


def test_a_ban_blocks_the_line_and_its_end_does_not() -> None:
    def told(state: str) -> list[Any]:
        value = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}
        return read(call(value, field="account_update"))

    assert isinstance(told("DISABLE")[0], LineEvent)
    assert told("REINSTATE") == [NumberNews(what="account_update.DISABLED_UPDATE")]


def test_what_we_have_no_use_for_is_named_and_kept() -> None:
    found = [*read(call({"x": 1}, field="security")), *read(call({"x": 1}, field="merhaba dünya"))]
    assert [event.what for event in found] == ["security", "unreadable"]
    assert all(json.loads(event.body)["x"] == 1 for event in found)
    assert "x" not in repr(found[0]), "what customers write doesn't show when it is printed"


@pytest.mark.parametrize(
    ("body", "what", "kept"),
    [
        ({"x": 1}, "envelope", [{"x": 1}]),
        ([], "envelope", [[]]),
        ({"entry": [7]}, "entry", [7]),
        ({"entry": [{"changes": [7]}]}, "change", [7]),
        ({"entry": [{"changes": [{"field": "messages", "value": 7}]}]}, "messages", 7),
        (call({}), "messages.empty", {"metadata": {"phone_number_id": US}}),
    ],
)
def test_a_call_of_another_shape_is_kept_as_it_came(body: Any, what: str, kept: Any) -> None:
    (found,) = read(body)
    assert (found.what, json.loads(found.body)) == (what, kept)


def test_of_a_large_thing_the_beginning_is_kept() -> None:
    (found,) = read(call({"x": "y" * 3_000_000}, field="yeni"))
    assert len(found.body) == hooks.KEPT_OF_A_BODY
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    (found,) = read(call({"x": deep}, field="yeni"))
    assert found == NotUnderstood(what="yeni", body="")


def test_a_template_is_stopped_and_freed() -> None:
    def told(event: str) -> Any:
        value = {"event": event, "message_template_name": "fatura_hazir", "message_template_language": "tr"}
        (found,) = read(call(value, field="message_template_status_update"))
        return found

    for event in ("PAUSED", "DISABLED", "REJECTED", "PENDING_DELETION"):
        assert told(event) == TemplateNews(name="fatura_hazir", language="tr", is_usable=False, why=event)
    assert told("APPROVED").is_usable
    assert told("PENDING").what == "message_template_status_update.PENDING"
    (found,) = read(call({"event": "PAUSED"}, field="message_template_status_update"))
    assert found.what == "message_template_status_update"


def test_news_of_the_number_are_told() -> None:
    (found,) = read(call({"event": "FLAGGED"}, field="phone_number_quality_update"))
    assert found == NumberNews(what="phone_number_quality_update.FLAGGED")
    (found,) = read(call({"max_daily_conversation_per_phone": 10}, field="business_capability_update"))
    assert found == NumberNews(what="business_capability_update")
    (found,) = read(call({"event": "ACCOUNT_VIOLATION"}, field="account_update"))
    assert found == NumberNews(what="account_update.ACCOUNT_VIOLATION")


def test_a_restricted_account_is_told_until_when() -> None:
    info = [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1771846200}]
    (found,) = read(call({"event": "ACCOUNT_RESTRICTION", "restriction_info": info}, field="account_update"))
    assert found == Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, until=AT, stops_bulk=True)
    (found,) = read(call({"event": "ACCOUNT_RESTRICTION"}, field="account_update"))
    assert found == Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, stops_bulk=True)


@pytest.mark.parametrize(
    ("code", "beyond"),
    [
        (131042, [LineEvent(news=LineNews.BLOCKED, code=Code.UNPAID)]),
        (131031, [LineEvent(news=LineNews.BLOCKED, code=Code.LOCKED)]),
        (131048, [Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, stops_bulk=True)]),
        (131026, []),
        (131049, []),
        (424242, []),
    ],
)
def test_an_error_that_comes_late_reaches_as_far_as_one_that_comes_at_once(code: int, beyond: list[Any]) -> None:
    errors = [{"code": code, "title": "x", "message": "x"}]
    receipt, *found = read(call({"statuses": [status(word="failed", errors=errors)]}))
    assert receipt.kind is ReceiptKind.FAILED
    assert found == beyond
    unclear, *found = read(call({"errors": errors}))
    assert unclear.what == f"errors.{code}"
    assert found == beyond


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "entry",
                    "changes",
                    "value",
                    "field",
                    "statuses",
                    "messages",
                    "metadata",
                    "id",
                    "status",
                    "errors",
                    "type",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(json_values)
def test_nothing_that_is_json_breaks_it(body: Any) -> None:
    assert isinstance(read(body), list)


@given(json_values)
def test_nothing_beside_a_status_drops_it(noise: Any) -> None:
    body = call({"statuses": [noise, status(), noise], "messages": noise})
    assert "wamid.1" in [event.remote_id for event in read(body) if isinstance(event, Receipt)]


@needs_samples
@pytest.mark.parametrize(
    "name", ["message_status", "message", "system", "outgoing_message", "user_marketing_preferences", "account_update"]
)
def test_bodies_that_others_have_seen_are_read(name: str) -> None:
    for label, body in samples(name).items():
        found = hooks.events(json.loads(json.dumps(body)), number_id=US)
        assert found, label
        if name == "message_status" and label != "group":
            assert isinstance(found[0], Receipt), label
        if name == "message" and label not in {"unsupported", "unsupported_with_type"}:
            assert isinstance(found[0], Inbound), label


# -- the table of codes

LISTED = (
    *(0, 190, 102, 104, 3, 10, 200, 299, 131005, 368, 131031, 130497, 131042, 131044, 131045, 133010, 133005, 133006),
    *(133008, 133009, 133015, 131037, 131057, 2494100, 1, 2, 131000, 131016, 133004, 135000, 4, 80007, 130429, 131056),
    *(131048, 131064, 131049, 130472, 131050, 131026, 131021, 131030, 131062, 131047, 131063, 100, 33, 131008, 131009),
    *(131051, 131052, 131053, 132000, 132005, 132007, 132008, 132012, 132001, 132015, 132016, 132068, 132069, 137000),
    139200,
)


def test_every_documented_code_has_a_meaning() -> None:
    assert [code for code in LISTED if code not in MEANINGS] == []


def test_an_unknown_code_is_a_refusal_unless_meta_calls_it_transient() -> None:
    assert meaning(GraphError(code=424242)).kind is Kind.REFUSED
    assert meaning(GraphError(code=424242, is_transient=True)).kind is Kind.PUSHED_BACK


def test_a_missing_object_is_the_file_only_if_there_is_one() -> None:
    error = GraphError(code=100, subcode=33)
    assert meaning(error, has_media=True).kind is Kind.MEDIA_GONE
    assert meaning(error).kind is Kind.REFUSED


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"error": None}, {"error": {}}, {"error": {"code": "190"}}, {"error": {"code": True}}]
)
def test_what_names_no_code_is_no_error(body: Any) -> None:
    assert error_of(body) is None


def test_error_data_may_be_a_bare_sentence() -> None:
    found = error_of({"error": {"code": 100, "error_data": "kısa"}})
    assert found is not None
    assert found.details == "kısa"
