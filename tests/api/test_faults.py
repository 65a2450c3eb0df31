"""What pydantic says of a bad body, in our few words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from guvercin.api.faults import field_code, invalid
from guvercin.api.problems import Problem, describe
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import Language

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "phone": "telefon",
        "text": "mesaj",
        "name": "isim",
        "category": "tur_id",
        "recipients": "alicilar",
        "planned_at": "planlanan_zaman",
        "kind": "tur",
    },
)
ATTRIBUTES: Mapping[str, str] = MappingProxyType({wire: name for name, wire in NAMES.items()})


class Recipient(BaseModel):
    phone: str | int = Field(alias="telefon")


class Ask(BaseModel):
    phone: str | int = Field(alias="telefon")
    text: str = Field(alias="mesaj", max_length=10, min_length=1)
    name: str | None = Field(default=None, alias="isim")
    category: int = Field(default=10, alias="tur_id", ge=1, le=999_999)
    recipients: list[Recipient] = Field(default=[], alias="alicilar", max_length=3)
    planned_at: AwareDatetime | None = Field(default=None, alias="planlanan_zaman")
    kind: Code | None = Field(default=None, alias="tur")


GOOD = {"telefon": "+905321234567", "mesaj": "Merhaba"}


def refused(body: Mapping[str, Any]) -> GuvercinError:
    """Answer what pydantic's refusal of a body becomes."""
    with pytest.raises(ValidationError) as caught:
        Ask.model_validate(body)
    return invalid(caught.value.errors(), ATTRIBUTES)


@pytest.mark.parametrize(
    ("change", "code", "where", "fault"),
    [
        ({"telefon": None}, Code.INVALID_PHONE, "phone", "tip"),
        ({"telefon": 1.5}, Code.INVALID_PHONE, "phone", "tip"),
        ({"mesaj": ""}, Code.EMPTY_TEXT, "text", "kisa"),
        ({"mesaj": "x" * 11}, Code.LONG_TEXT, "text", "uzun"),
        ({"mesaj": 5}, Code.INVALID_FIELD, "text", "tip"),
        ({"mesaj": "\ud800"}, Code.NOT_UTF8, None, None),
        ({"isim": {}}, Code.INVALID_FIELD, "name", "tip"),
        ({"tur_id": 1_000_000}, Code.INVALID_CATEGORY, "category", "aralik"),
        ({"tur_id": "on"}, Code.INVALID_CATEGORY, "category", "tip"),
        ({"tur_id": 1.5}, Code.INVALID_CATEGORY, "category", "tip"),
        ({"planlanan_zaman": "yarın"}, Code.INVALID_TIME, "planned_at", "gecersiz_zaman"),
        ({"planlanan_zaman": "2026-02-23 14:30:00"}, Code.INVALID_TIME, "planned_at", "gecersiz_zaman"),
        ({"alicilar": [GOOD] * 4}, Code.INVALID_FIELD, "recipients", "uzun"),
        ({"alicilar": [GOOD, "x"]}, Code.INVALID_FIELD, "recipients.1", "tip"),
        ({"alicilar": [{}]}, Code.INVALID_PHONE, "recipients.0.phone", "zorunlu"),
        ({"alicilar": {}}, Code.INVALID_FIELD, "recipients", "tip"),
        ({"tur": "yok"}, Code.INVALID_FIELD, "kind", "secenek"),
    ],
)
def test_what_pydantic_says_becomes_our_few_words(
    change: dict[str, Any], code: Code, where: str | None, fault: str | None
) -> None:
    error = refused({**GOOD, **change})
    if where is None:
        assert error.code is code
        return
    assert [(each.where, each.fault) for each in error.faults] == [(where, fault)]
    assert field_code(error) is code


def test_a_choice_of_types_is_one_fault() -> None:
    # `str | int` fails twice, once for each type: the sender has one field wrong.
    assert len(refused({**GOOD, "telefon": []}).faults) == 1


def test_the_value_that_was_sent_never_comes_back() -> None:
    secret = "gv_cok-gizli-bir-anahtar"
    error = refused({"telefon": {secret: secret}, "mesaj": [secret], "tur_id": secret, "tur": secret})
    assert len(error.faults) == 4
    assert secret not in str([(fault.where, fault.fault, fault.params) for fault in error.faults])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*NAMES.values(), "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*NAMES.values(), "x"]), json_values, max_size=7))
def test_any_bad_body_is_answered_in_the_documented_form(body: dict[str, Any]) -> None:
    try:
        Ask.model_validate(body)
    except ValidationError as trouble:
        error = invalid(trouble.errors(), ATTRIBUTES)
        shown = describe(error, language=Language.EN, instance="/", request_id="x", wire_name=str)
        assert Problem.model_validate_json(shown.model_dump_json(by_alias=True, exclude_none=True)) == shown
        assert {fault.where.split(".")[0] for fault in error.faults} <= set(NAMES)
