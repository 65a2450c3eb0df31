"""The OpenAPI document as a page shows it: operations, rows of fields, examples, codes. Document in, values out."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from guvercin.locale import Translator, sentence

Json: TypeAlias = Mapping[str, Any]

_DEEPEST = 4
"""Levels of nested fields that a table shows. It also ends the walk through a model that contains itself."""

_METHODS = ("get", "post", "put", "patch", "delete")

_LIMITS = (
    ("minLength", sentence("at least {limit} letters")),
    ("maxLength", sentence("at most {limit} letters")),
    ("minItems", sentence("at least {limit} items")),
    ("maxItems", sentence("at most {limit} items")),
    ("minimum", sentence("at least {limit}")),
    ("maximum", sentence("at most {limit}")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field or parameter. `name` is its path («alicilar[].telefon»), `place` where a parameter stands."""

    name: str
    type: str
    is_required: bool
    description: str
    notes: Sequence[str]
    place: str = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of an operation. `example` is JSON text; `codes` are those of an error."""

    status: str
    description: str
    rows: Sequence[Row]
    example: str | None
    codes: Sequence[str]

    @property
    def is_success(self) -> bool:
        """Say whether it is no error."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. `anchor` names it within the page; `curl` is a line to run in a shell."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    needs_token: bool
    rows: Sequence[Row]
    body: str | None
    answers: Sequence[Answer]
    curl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """The operations that carry one tag."""

    title: str
    operations: Sequence[Operation]


def chapters(document: Json, address: str, say: Translator) -> Sequence[Chapter]:
    """Answer an OpenAPI document as chapters, in its own order. `address` is the server's, without a slash at its end.

    Summaries and descriptions are said in the reader's language where the catalogue has them.
    """
    found: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", ())), "")
                found.setdefault(tag, []).append(_operation(document, path, method, address, say))
    return [Chapter(title=say(tag), operations=operations) for tag, operations in found.items()]


def _operation(document: Json, path: str, method: str, address: str, say: Translator) -> Operation:
    item = document["paths"][path]
    spec = item[method]
    parameters = [_resolve(document, each) for each in (*item.get("parameters", ()), *spec.get("parameters", ()))]
    media_type, media = _media(_resolve(document, spec.get("requestBody", {})))
    schema = _resolve(document, media.get("schema", {}))
    body = _example(document, media)
    given = [_parameter(document, each, say) for each in parameters]
    in_order = (
        *(row for row in given if row.place != "header"),
        *_rows(document, schema, say),
        *(row for row in given if row.place == "header"),
    )
    needs_token = bool(spec.get("security", document.get("security")))
    return Operation(
        anchor=f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
        method=method.upper(),
        path=path,
        summary=say(spec.get("summary", "")),
        description=say(spec.get("description", "")),
        needs_token=needs_token,
        rows=in_order,
        body=None if body is None else _print(body),
        answers=[_answer(document, status, each, say) for status, each in sorted(spec.get("responses", {}).items())],
        curl=_curl(
            method.upper(), address + _filled(path, parameters), media_type, body, schema, needs_token=needs_token
        ),
    )


def _answer(document: Json, status: str, spec: Json, say: Translator) -> Answer:
    spec = _resolve(document, spec)
    _, media = _media(spec)
    codes: Sequence[str] = spec.get("x-kodlar", ())
    example = None if codes else _example(document, media)
    return Answer(
        status=status,
        description=say(spec.get("description", "")),
        rows=[] if codes else list(_rows(document, _resolve(document, media.get("schema", {})), say)),
        example=None if example is None else _print(example),
        codes=codes,
    )


def _parameter(document: Json, spec: Json, say: Translator) -> Row:
    schema = _resolve(document, spec.get("schema", {}))
    return Row(
        name=spec["name"],
        type=_type(document, schema),
        is_required=bool(spec.get("required")),
        description=say(spec.get("description", "") or schema.get("description", "")),
        notes=_notes(document, schema, say),
        place=spec["in"],
    )


def _rows(document: Json, schema: Json, say: Translator, prefix: str = "", depth: int = 1) -> Iterator[Row]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        field = _resolve(document, given)
        yield Row(
            name=f"{prefix}{name}",
            type=_type(document, field),
            is_required=name in required,
            description=say(field.get("description", "")),
            notes=_notes(document, field, say),
        )
        if depth < _DEEPEST:
            for kind in _kinds(document, field):
                inner = _resolve(document, kind.get("items", {}))
                yield from _rows(document, kind, say, f"{prefix}{name}.", depth + 1)
                yield from _rows(document, inner, say, f"{prefix}{name}[].", depth + 1)


def _resolve(document: Json, schema: Json) -> Json:
    """Follow a reference, and lay what stands beside it over its target. Parts of `allOf` become one."""
    resolved = dict(schema)
    while reference := resolved.pop("$ref", None):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        resolved = {**target, **resolved}
    for part in resolved.pop("allOf", ()):
        resolved = {**_resolve(document, part), **resolved}
    return resolved


def _kinds(document: Json, schema: Json) -> Sequence[Json]:
    """Answer what a value may be, each reference followed: one schema, or several of `anyOf`."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    return [_resolve(document, choice) for choice in choices] if choices else [schema]


def _type(document: Json, schema: Json) -> str:
    """Answer a type in the words of JSON: «string», «integer | null», «string[]»."""
    names = dict.fromkeys(_one_type(document, kind) for kind in _kinds(document, schema))
    return " | ".join(names)


def _one_type(document: Json, schema: Json) -> str:
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "string"
    if schema.get("type") != "array":
        return str(schema.get("type", "object" if "properties" in schema else "any"))
    items = _resolve(document, schema.get("items", {}))
    inner = _type(document, items)
    return "array" if inner in {"object", "any"} else f"{inner}[]"


def _notes(document: Json, schema: Json, say: Translator) -> Sequence[str]:
    """Answer a field's bounds, choices and default value as short texts."""
    notes = []
    for kind in _kinds(document, schema):
        if choices := kind.get("enum"):
            notes.append(", ".join(map(str, choices)))
        notes += [
            say(text, limit=int(kind[key])) for key, text in _LIMITS if key in kind and _says_something(kind[key])
        ]
    if schema.get("default") not in (None, "", []):
        notes.append(say("default: {value}", value=json.dumps(schema["default"], ensure_ascii=False)))
    return notes


def _says_something(limit: float) -> bool:
    """Say whether a bound is worth a reader's time: «at least 1» and the largest integer of JSON are not."""
    return 1 < limit < 2**53 - 1


def _media(spec: Json) -> tuple[str, Json]:
    """Answer the first media type of a body with what it holds; JSON comes before any other."""
    content = spec.get("content", {})
    media_type = "application/json" if "application/json" in content else next(iter(content), "")
    return media_type, content.get(media_type, {})


def _example(document: Json, media: Json) -> Any:
    """Answer the example that a body declares, at the body or at its model; null when it has none."""
    schema = _resolve(document, media.get("schema", {}))
    if "example" in media:
        return media["example"]
    for named in media.get("examples", {}).values():
        return _resolve(document, named).get("value")
    return _in_order(document, schema, next(iter(schema.get("examples", ())), schema.get("example")))


def _in_order(document: Json, schema: Json, example: Any) -> Any:
    """Put an example's keys in the order of its model's fields: in examples of a model, pydantic sorts them."""
    kinds = _kinds(document, schema)
    if isinstance(example, list):
        items = next((_resolve(document, kind["items"]) for kind in kinds if "items" in kind), {})
        return [_in_order(document, items, each) for each in example]
    if not isinstance(example, dict):
        return example
    fields: Json = next((kind["properties"] for kind in kinds if "properties" in kind), {})
    names = [*(name for name in fields if name in example), *(name for name in example if name not in fields)]
    return {name: _in_order(document, _resolve(document, fields.get(name, {})), example[name]) for name in names}


def _print(example: Any) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)


def _filled(path: str, parameters: Sequence[Json]) -> str:
    """Put example values into the places of a path; a parameter without one shows as `1`."""
    for each in parameters:
        if each["in"] == "path":
            examples = each.get("examples") or each.get("schema", {}).get("examples") or [each.get("example", 1)]
            value = examples[0] if isinstance(examples, list) else next(iter(examples.values()))["value"]
            path = path.replace(f"{{{each['name']}}}", str(value))
    return path


def _curl(method: str, url: str, media_type: str, body: Any, schema: Json, *, needs_token: bool) -> str:
    lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{shlex.quote(url)}"]
    if needs_token:
        lines.append('-H "Authorization: Bearer $GUVERCIN_TOKEN"')
    if media_type == "multipart/form-data":
        lines += [f"-F {shlex.quote(f'{name}=@fatura.pdf')}" for name in schema.get("required", ())[:1]]
    elif media_type:
        lines.append(f'-H "Content-Type: {media_type}"')
    lines.append('-H "Accept: application/json"')
    if body is not None and media_type != "multipart/form-data":
        lines.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return " \\\n  ".join(lines)
