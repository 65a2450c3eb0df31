"""Meta's own schema of what is sent to it, where it lies beside the repository: requests of ours are held to it.

The file is Meta's (MIT licence) and no part of this repository. Where it is absent the fake's own rules stand alone,
and the tests that need it say so.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SCHEMA = DATA / "wa-cloud-v23.flattened.schema.json"

needs_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason="Meta's schema does not lie beside this repository")
needs_samples = pytest.mark.skipif(not DATA.is_dir(), reason="webhook samples do not lie beside this repository")

_NAMES = {"text": "TextMessage", "document": "DocumentMessage", "image": "ImageMessage", "template": "TemplateMessage"}


def samples(name: str) -> Mapping[str, Any]:
    """Answer webhook bodies that another library's authors collected, by name."""
    found: Mapping[str, Any] = json.loads((DATA / f"pywa-updates-{name}.json").read_text(encoding="utf-8"))
    return found


def validator() -> Callable[[Mapping[str, Any]], str | None]:
    """Answer a check of message bodies: a sentence for one that Meta's schema refuses. Without it all pass."""
    if not SCHEMA.is_file():
        return lambda _: None
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    definitions = schema["$defs"]
    # What Meta documents and its schema of v23 doesn't know, and the other way round.
    for name in _NAMES.values():
        definitions[name]["properties"]["biz_opaque_callback_data"] = {"type": "string", "maxLength": 512}
    definitions["LanguageObject"]["required"].remove("policy")
    of_kind = {
        kind: jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})
        for kind, name in _NAMES.items()
    }
    marked = jsonschema_rs.Draft202012Validator({"$ref": "#/$defs/MarkMessageRequestPayload", "$defs": definitions})

    def check(body: Mapping[str, Any]) -> str | None:
        errors = list((of_kind.get(str(body.get("type"))) or marked).iter_errors(dict(body)))
        return errors[0].message if errors else None

    return check
