"""Schemathesis over our own OpenAPI: whatever is asked, right or wrong, the answer is one that the document promises.

`make test` asks the same things every time. `make long` draws a seed, and a failure names it: with GUVERCIN_SEED set to
it the same test asks the same again.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from random import SystemRandom  # noqa: TID251 -- draws the seed of a long run, which a failure names
from typing import Any, TypeAlias
from zlib import crc32

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis import BaseSchema, Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.generation.stateful import APIStateMachine
from tests.api.declared import Declared
from tests.proof.front import ACCOUNTS, FILE, ROWS, TOKEN, Front
from tests.proof.office import empty_database
from tests.rounds import rounds

from guvercin.api.app import document

EXAMPLES = rounds(50, 1_000)
STORIES = rounds(20, 500)
STEPS = 10
PATIENCE = 120
"""Seconds that an answer may take on a machine with other things to do."""

IS_LONG = EXAMPLES > 50
SEED = int(os.environ.get("GUVERCIN_SEED") or (SystemRandom().getrandbits(32) if IS_LONG else 20260223))

AnyCase: TypeAlias = Case[Any]

LABELS = [f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item]
DECLARED = Declared()

SHAPES = frozenset({"zorunlu", "tip", "uzun", "kisa", "aralik", "secenek", "tanimsiz"})
"""Faults of a request's shape. The document tells the shape: a request that keeps to it has none of them."""

UNTOLD = frozenset(
    {"tekli", "toplu", "degiskenler", "hepsi", "mevcut", "yeni", "aylik_yeni", "mevcut_musteriler"},
)
"""Fields of whose shape no schema can tell everything: one bound above another, that 5.0 is no whole number here, how a
yes is written in a form."""

CONFIG: dict[str, Any] = {
    "seed": SEED,
    "generation": {"max-examples": EXAMPLES, "database": "none", "with-security-parameters": False},
    "checks": {
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 501, 503]},
        "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 422, 501]},
        # What is refused for its meaning (a number that is none, a time that is over) `keeps_its_word` knows better.
        "positive_data_acceptance": {"enabled": False},
    },
}
SIGNED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    folder = tmp_path_factory.mktemp("front")
    return Front(folder, empty_database(folder))


@pytest.fixture(scope="session")
def schema(front: Front) -> BaseSchema:
    # A copy: it infers links, and writes them into what it was given.
    whole = schemathesis.openapi.from_dict(deepcopy(document()), config=SchemathesisConfig.from_dict(CONFIG))
    whole.app = front
    return whole


def keeps_its_word(_: CheckContext, response: Response, case: AnyCase) -> None:
    """Hold an answer to the document by our own reading of it too, and valid requests to be of the right shape."""
    path = case.formatted_path
    headers = {name: values[0] for name, values in response.headers.items()}
    troubles = list(DECLARED.troubles(case.method, path, response.status_code, headers, response.content))
    assert not troubles, troubles
    assert not (is_valid(case) and response.status_code == 400), response.text
    if response.status_code == 422 and is_valid(case):
        faults = orjson.loads(response.content)["alanlar"]
        told = [fault for fault in faults if fault["alan"].rpartition(".")[2] not in UNTOLD]
        assert not [fault for fault in told if fault["kod"] in SHAPES], faults


def is_valid(case: AnyCase) -> bool:
    """Say whether a case keeps to the document's shapes."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def at_home(case: AnyCase) -> None:
    """Let half of the valid cases speak of numbers, rows and a file that are there: chance alone never meets them."""
    draw = crc32(repr((case.path_parameters, case.body)).encode(errors="backslashreplace"))
    if not is_valid(case) or draw % 2:
        return
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int):
            most = ACCOUNTS if name == "account_id" else ROWS
            case.path_parameters[name] = 1 + draw // 2 % most
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"{draw:x}"
    if isinstance(case.body, dict):
        if "telefon" in case.body:
            case.body["telefon"] = f"+9050000000{1 + draw // 2 % 12:02}"
        if case.body.get("dosya_yolu"):
            case.body["dosya_yolu"] = f"/{FILE}"
            case.body.pop("dosya_id", None)


def replayed(test: Callable[[], None]) -> None:
    """Run a test; a failure says how it is played again."""
    try:
        test()
    except BaseException as trouble:
        long = "GUVERCIN_ROUNDS=full " if IS_LONG else ""
        trouble.add_note(f"play it again: {long}GUVERCIN_SEED={SEED} pytest '{os.environ['PYTEST_CURRENT_TEST']}'")
        raise


@pytest.mark.parametrize("label", LABELS)
def test_every_answer_is_one_that_the_document_promises(schema: BaseSchema, label: str) -> None:
    operation = schema.find_operation_by_label(label)
    assert operation is not None

    def ask(case: AnyCase) -> None:
        at_home(case)
        case.call_and_validate(headers=SIGNED, additional_checks=[keeps_its_word], timeout=PATIENCE)

    test = create_test(
        operation=operation,
        test_func=ask,
        config=HypothesisTestConfig(
            project=schema.config,
            settings=schema.config.get_hypothesis_settings(operation=operation, phase="fuzzing"),
            modes=list(HypothesisTestMode),
            seed=SEED,
        ),
    )
    replayed(test)


@pytest.mark.parametrize("about", ["/(gonder|toplu|dosya-gonder|durum|gonderimler)", "/hesaplar"])
def test_what_one_answer_names_the_next_request_may_ask_for(schema: BaseSchema, front: Front, about: str) -> None:
    """Follow the document's links, and those that Schemathesis reads out of it, through many short stories.

    Messages and accounts apart: together Schemathesis begins every story with an account.
    """
    linked: type[APIStateMachine] = schema.include(path_regex=about).as_state_machine()

    class Story(linked):  # type: ignore[misc, valid-type]
        def setup(self) -> None:
            front.renew()

        def before_call(self, case: AnyCase) -> None:
            at_home(case)

        def get_call_kwargs(self, _: AnyCase) -> dict[str, Any]:
            return {"headers": SIGNED}

        def validate_response(self, response: Response, case: AnyCase, **more: Any) -> None:
            case.validate_response(response, additional_checks=[keeps_its_word], transport_kwargs=more)

    asked = settings(
        max_examples=STORIES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    replayed(lambda: seed(SEED)(Story).run(settings=asked))
