"""The OpenAPI document: valid, complete, and the same models that the routes use."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import chain
from typing import Any

import httpx2
import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError
from tests.api.conftest import BASE, Connect
from tests.api.declared import Declared

from guvercin.api import examples
from guvercin.api.answers.accounts import AccountAnswer, AccountList
from guvercin.api.answers.batches import BatchAnswer, BatchSent, BatchStanding, ListRead, Rehearsed
from guvercin.api.answers.files import UploadAnswer
from guvercin.api.answers.ground import Done
from guvercin.api.answers.lines import HealthAnswer, LinkAnswer, LookupAnswer
from guvercin.api.answers.messages import Cancelled, MessageSent, MessageStanding, MessageStatusAnswer
from guvercin.api.app import document
from guvercin.api.asking import ask_file
from guvercin.api.wire.access import SignIn
from guvercin.api.wire.accounts import AddAccount, ChangeAccount, LinkAccount, MarkRead
from guvercin.api.wire.batches import ImportForm, Recipient, SendBatch
from guvercin.api.wire.categories import ChangeCategory
from guvercin.api.wire.files import UploadForm
from guvercin.api.wire.hooks import AddWebhook, ChangeWebhook, RenewSecret, ReplaySince
from guvercin.api.wire.inbox import ReadInbox
from guvercin.api.wire.messages import CancelReference, SendFile, SendText
from guvercin.api.wire.names import FIELD_NAMES, bodies
from guvercin.api.wire.people import AddConsent, AddOptOut, DecideOptOut, HoldPerson
from guvercin.core.errors import GuvercinError
from guvercin.locale import Language, translator

DOCUMENT = document()
OPERATIONS = [
    (method, path, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]
IDS = [f"{method} {path}" for method, path, _ in OPERATIONS]
PUBLIC = {
    *("/saglik", "/hazir", "/metrics", "/meta/webhook/{account_id}"),
    *("/api/v1/auth/token", "/api/v1/auth/revoke"),
}

BODIES: dict[str, type[BaseModel]] = {
    f"{BASE}/gonder": SendText,
    f"{BASE}/toplu-gonder": SendBatch,
    f"{BASE}/toplu/on-kontrol": SendBatch,
    f"{BASE}/toplu/dosya": ImportForm,
    f"{BASE}/dosya-gonder": SendFile,
    f"{BASE}/iptal": CancelReference,
    f"{BASE}/hesaplar": AddAccount,
    f"{BASE}/hesaplar/{{account_id}}": ChangeAccount,
    f"{BASE}/turler/{{category_id}}": ChangeCategory,
    f"{BASE}/hesaplar/{{account_id}}/bagla": LinkAccount,
    f"{BASE}/hesaplar/{{account_id}}/okundu": MarkRead,
    f"{BASE}/gelen/okundu": ReadInbox,
    f"{BASE}/ret-listesi": AddOptOut,
    f"{BASE}/bakilacaklar/{{opt_out_id}}/karar": DecideOptOut,
    f"{BASE}/onaylar": AddConsent,
    f"{BASE}/kisiler/{{telefon}}/saklama": HoldPerson,
    f"{BASE}/dosyalar": UploadForm,
    "/api/v1/auth/token": SignIn,
    "/api/v1/webhooks": AddWebhook,
    "/api/v1/webhooks/{hook_id}": ChangeWebhook,
    "/api/v1/webhooks/{hook_id}/secret": RenewSecret,
    "/api/v1/webhooks/{hook_id}/yeniden": ReplaySince,
}


def walk(part: Any) -> Iterator[tuple[str, Any]]:
    match part:
        case dict():
            for key, value in part.items():
                yield key, value
                yield from walk(value)
        case list():
            for value in part:
                yield from walk(value)


def test_it_is_a_valid_document() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPI.model_validate(DOCUMENT)
    schemas = DOCUMENT["components"]["schemas"]
    references = [value for key, value in walk(DOCUMENT) if key == "$ref"]
    assert references
    assert {reference.removeprefix("#/components/schemas/") for reference in references} <= schemas.keys()
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_place_of_a_path_is_declared(method: str, path: str, operation: dict[str, Any]) -> None:
    assert method in {"get", "post", "put", "patch", "delete"}
    declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize(("path", "operation"), [each[1:] for each in OPERATIONS], ids=IDS)
def test_every_operation_says_who_may_ask_and_what_can_go_wrong(path: str, operation: dict[str, Any]) -> None:
    answered = set(operation["responses"])
    assert {"500"} < answered
    assert any(status.startswith("2") for status in answered)
    if path not in PUBLIC:
        ((scheme, scopes),) = [next(iter(each.items())) for each in operation["security"]]
        assert scheme in DOCUMENT["components"]["securitySchemes"]
        assert len(scopes) == 1
        assert {"401", "403", "429", "503"} < answered
    if "requestBody" in operation:
        assert {"413", "415", "422"} < answered
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            assert response["x-kodlar"]
            for media in response["content"].values():
                assert media["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("path", BODIES)
def test_the_documented_body_is_the_accepted_model(path: str) -> None:
    model = BODIES[path]
    (asked,) = (
        operation["requestBody"] for operation in DOCUMENT["paths"][path].values() if "requestBody" in operation
    )
    (media,) = asked["content"].values()
    assert media["schema"] == {"$ref": f"#/components/schemas/{model.__name__}"}
    schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs", {})
    schema.pop("description")  # its docstring
    assert DOCUMENT["components"]["schemas"][model.__name__] == schema
    for name, definition in inner.items():
        definition.pop("description", None)
        assert DOCUMENT["components"]["schemas"][name] == definition


def test_every_body_is_covered_above() -> None:
    documented = {path for _, path, operation in OPERATIONS if "requestBody" in operation}
    assert documented == BODIES.keys()


@pytest.mark.parametrize(("path", "operation"), [each[1:] for each in OPERATIONS], ids=IDS)
def test_every_example_is_what_it_stands_for(path: str, operation: dict[str, Any]) -> None:
    declared = Declared()
    for content_type, media in operation.get("requestBody", {}).get("content", {}).items():
        if content_type == "application/json":
            assert declared.faults(media["example"], media["schema"]) == []
            BODIES[path].model_validate(media["example"])
    for status, response in operation["responses"].items():
        for media in response["content"].values():
            if status.startswith("2") and "example" in media:
                assert declared.faults(media["example"], media["schema"]) == []


WRONG: tuple[Any, ...] = (True, 1.5, 5, -1, "x", "5", "", [], [True], {}, None)


def with_one_thing_else(whole: Any, names: Iterable[str] = ()) -> Iterator[Any]:
    """Answer `whole` again and again, each time with one of its values, or of the fields `names`, made another."""
    if isinstance(whole, dict):
        for name in {*whole, *names}:
            yield from (whole | {name: wrong} for wrong in WRONG)
            yield from (whole | {name: inner} for inner in with_one_thing_else(whole.get(name)))
    elif isinstance(whole, list):
        for at, value in enumerate(whole):
            others = chain(WRONG, with_one_thing_else(value))
            yield from ([*whole[:at], other, *whole[at + 1 :]] for other in others)


def reads(model: type[BaseModel], body: Any) -> Any:
    asked = model.model_validate(body)
    return ask_file(asked, UTC) if isinstance(asked, SendFile) else asked


@pytest.mark.parametrize(
    ("path", "media"),
    [
        (path, media)
        for _, path, operation in OPERATIONS
        for content_type, media in operation.get("requestBody", {}).get("content", {}).items()
        if content_type == "application/json"
    ],
)
def test_no_field_takes_what_the_document_forbids_it(path: str, media: dict[str, Any]) -> None:
    """A yes is no account, and no text either: a reader of JSON would take it for one."""
    declared, model = Draft202012Validator(media["schema"] | {"components": DOCUMENT["components"]}), BODIES[path]
    fields = DOCUMENT["components"]["schemas"][model.__name__]["properties"]
    tried = [body for body in with_one_thing_else(media["example"], fields) if not declared.is_valid(body)]
    assert tried
    for body in tried:
        with pytest.raises((ValidationError, GuvercinError)):
            raise AssertionError(f"{body} is taken: {reads(model, body)!r}")


def is_documented(model: type[BaseModel], body: Any) -> bool:
    return not Declared().faults(body, {"$ref": f"#/components/schemas/{model.__name__}"})


QUOTED = ["1", "007", "43200", "43201", "99999", "999999", "1000000", "9" * 15, "9" * 16, f"{1:015}", f"{1:016}"]
NO_NUMBERS = ["0", "000", "", " 5", "5.0", "-1", "+1", "1e3", "٥", 0, 1, 43_200, 43_201, 10**6]


@pytest.mark.parametrize("written", QUOTED + NO_NUMBERS)
@pytest.mark.parametrize("field", ["tur_id", "hesap_id", "gecerlilik_dk"])
def test_an_integer_is_documented_as_it_is_read(field: str, written: str | int) -> None:
    body = {"telefon": "+905321234567", "mesaj": "Merhaba", field: written}
    try:
        SendText.model_validate(body)
    except ValidationError:
        assert not is_documented(SendText, body)
    else:
        assert is_documented(SendText, body)


@pytest.mark.parametrize(
    ("variables", "is_read"),
    [
        ({"tutar": "1.250,00", "gün": 3}, True),
        ({"x" * 100: 2**53 - 1}, True),
        ([], True),
        ({"no": 2**53}, False),
        ({"no": -(2**70)}, False),
        ({"no": 1.5}, False),
        ({"no": None}, False),
        ({"x" * 101: "uzun ad"}, False),
        ([1], False),
    ],
)
def test_variables_are_documented_as_they_are_read(variables: Any, *, is_read: bool) -> None:
    recipient = {"telefon": "+905321234567", "degiskenler": variables}
    assert is_documented(SendBatch, {"alicilar": [recipient], "mesaj": "Merhaba"}) is is_read
    if is_read:
        Recipient.model_validate(recipient)
    else:
        with pytest.raises(ValidationError):
            Recipient.model_validate(recipient)


@pytest.mark.parametrize(
    ("named", "is_one"),
    [
        ({"dosya_yolu": "/a.pdf"}, True),
        ({"dosya_id": "5f"}, True),
        ({"dosya_yolu": "/a.pdf", "dosya_id": None}, True),
        ({"dosya_yolu": "", "dosya_id": "5f"}, True),
        ({}, False),
        ({"dosya_yolu": None}, False),
        ({"dosya_id": ""}, False),
        ({"dosya_yolu": "/a.pdf", "dosya_id": "5f"}, False),
    ],
)
def test_a_file_is_documented_as_it_is_asked_for(named: dict[str, Any], *, is_one: bool) -> None:
    body = {"telefon": "+905321234567", **named}
    asked = SendFile.model_validate(body)
    assert is_documented(SendFile, body) is is_one
    if is_one:
        ask_file(asked, UTC)
    else:
        with pytest.raises(GuvercinError):
            ask_file(asked, UTC)


def test_every_link_leads_to_an_operation_and_is_fed_by_the_answer() -> None:
    operations = {operation["operationId"]: operation for _, _, operation in OPERATIONS}
    links = [
        (response, link)
        for _, _, operation in OPERATIONS
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) == 3 * 2 * 5 + 2 * 2 * 4
    for response, link in links:
        places = {each["name"] for each in operations[link["operationId"]]["parameters"] if each["in"] == "path"}
        assert link["parameters"].keys() == places
        (key,) = (source.removeprefix("$response.body#/") for source in link["parameters"].values())
        models = [value for name, value in walk(response["content"]) if name == "$ref"]
        schemas = [DOCUMENT["components"]["schemas"][model.rpartition("/")[2]] for model in models]
        assert any(key in schema["properties"] for schema in schemas)


@pytest.mark.parametrize(
    ("example", "model"),
    [
        (examples.SENT, MessageSent),
        (examples.FILE_SENT, MessageSent),
        (examples.STANDING, MessageStanding),
        (examples.BATCH_SENT, BatchSent),
        (examples.BATCH_STANDING, BatchStanding),
        (examples.ACCOUNTS, AccountList),
        (examples.ACCOUNT, AccountAnswer),
        (examples.STATUS, MessageStatusAnswer),
        (examples.BATCH, BatchAnswer),
        (examples.REHEARSED, Rehearsed),
        (examples.LIST_READ, ListRead),
        (examples.UPLOADED, UploadAnswer),
        (examples.CANCELLED, Cancelled),
        (examples.DONE, Done),
        (examples.LINKING, LinkAnswer),
        (examples.HEALTH, HealthAnswer),
        (examples.LOOKUP, LookupAnswer),
    ],
)
def test_an_answers_example_is_written_as_the_model_writes_it(example: Any, model: type[BaseModel]) -> None:
    written = TypeAdapter(model).validate_python(example).model_dump(mode="json", by_alias=True)
    assert written == example
    assert list(walk(written)) == list(walk(example)), "the keys stand in another order"


def test_every_attribute_has_one_wire_name_and_every_wire_name_one_attribute() -> None:
    pairs = {(name, field.alias or name) for model in bodies() for name, field in model.model_fields.items()}
    assert len({name for name, _ in pairs}) == len({alias for _, alias in pairs}) == len(pairs) == len(FIELD_NAMES)


async def test_the_document_is_public_and_speaks_both_languages(connect: Connect) -> None:
    async with connect(None) as client:
        english = await client.get("/openapi.json", headers={"Accept-Language": "en"})
        assert english.json() == DOCUMENT
        turkish = await client.get("/openapi.json")
        assert turkish.headers["Content-Language"] == "tr"
        operation = turkish.json()["paths"][f"{BASE}/gonder"]["post"]
        assert operation["summary"] == "Mesaj Gönder"
        assert turkish.json()["components"]["schemas"].keys() == DOCUMENT["components"]["schemas"].keys()


def test_every_sentence_of_the_document_has_its_turkish() -> None:
    say = translator(Language.TR)
    sentences = {value for key, value in walk(DOCUMENT) if key in {"summary", "description"} and isinstance(value, str)}
    codes = {
        response["description"]
        for _, _, operation in OPERATIONS
        for response in operation["responses"].values()
        if "x-kodlar" in response
    }
    missing = {each for each in sentences - codes if say(each) == each}
    assert missing == set()


async def test_the_page_of_the_api_shows_every_operation(client: httpx2.AsyncClient) -> None:
    page = (await client.get("/belge")).text
    for _, path, _ in OPERATIONS:
        assert path in page


async def test_the_pages_of_the_codes_are_there(client: httpx2.AsyncClient) -> None:
    refused = await client.post(f"{BASE}/gonder", json={})
    page = await client.get(refused.json()["type"])
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
