"""Holds every answer to the OpenAPI document: its status is declared, its body is what the declared schema says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
import orjson

from guvercin.api.app import document

Json = dict[str, Any]


class Declared:
    """The document, and what was wrong with the answers."""

    def __init__(self) -> None:
        self._document: Json = document()
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), operations)
            for path, operations in self._document["paths"].items()
        ]
        self._troubles: list[str] = []

    async def record(self, answer: httpx2.Response) -> None:
        """Hold one answer to the document."""
        await answer.aread()
        request = answer.request
        self._troubles += self.troubles(
            request.method, request.url.path, answer.status_code, answer.headers, answer.content
        )

    def check(self) -> None:
        """Fail with everything that was wrong."""
        assert not self._troubles, "\n".join(self._troubles)

    def troubles(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        """Answer what is wrong with an answer. The names of `headers` are in small letters, or it doesn't mind."""
        asked = f"{method} {path} -> {status}"
        if "x-request-id" not in headers:
            yield f"{asked}: no X-Request-Id"
        operation = self._operation(method, path)
        if operation is None:
            return
        response = operation["responses"].get(str(status))
        if response is None:
            yield f"{asked}: undeclared; body {body[:200]!r}"
            return
        kind = headers["content-type"].partition(";")[0]
        media = response["content"].get(kind)
        if media is None:
            yield f"{asked}: undeclared content type {kind}"
        elif kind.endswith("json"):
            told = orjson.loads(body)
            yield from (f"{asked}: {fault}" for fault in self.faults(told, media["schema"]))
            codes = response.get("x-kodlar", ())
            if codes and told["kod"] not in codes:
                yield f"{asked}: undeclared kod {told['kod']}"

    def faults(self, value: Any, schema: Json, where: str = "$") -> list[str]:
        """Answer what a value breaks of a schema: the part of JSON Schema that our document uses."""
        match schema:
            case {"$ref": reference}:
                schemas = self._document["components"]["schemas"]
                found = self.faults(value, schemas[reference.rpartition("/")[2]], where)
            case {"anyOf": choices}:
                tries = [self.faults(value, choice, where) for choice in choices]
                found = [] if [] in tries else [f"{where}: {value!r} fits no choice: {tries}"]
            case {"oneOf": choices}:
                rest = {name: part for name, part in schema.items() if name != "oneOf"}
                found = [*self.faults(value, rest, where), *self._faults_of_one(value, choices, where)]
            case {"const": only}:
                found = [] if value == only else [f"{where}: {value!r} is not {only!r}"]
            case {"enum": words}:
                found = [] if value in words else [f"{where}: {value!r} is not one of {words}"]
            case {"type": kind} if not _is_a(value, kind):
                found = [f"{where}: {value!r} is no {kind}"]
            case {"type": "object"} | {"properties": _}:
                found = self._object_faults(value, schema, where)
            case {"type": "array"}:
                items = schema.get("items", {})
                most = schema.get("maxItems", len(value))
                found = [f"{where}: {len(value)} items"] if len(value) > most else []
                found += [
                    fault for at, item in enumerate(value) for fault in self.faults(item, items, f"{where}[{at}]")
                ]
            case {"type": "string" | "integer" | "number"}:
                found = _bound_faults(value, schema, where)
            case _:
                found = []
        return found

    def _faults_of_one(self, value: Any, choices: Sequence[Json], where: str) -> list[str]:
        fits = sum(not self.faults(value, choice, where) for choice in choices)
        return [] if fits == 1 else [f"{where}: {value!r} fits {fits} of {choices}"]

    def _object_faults(self, value: Json, schema: Json, where: str) -> list[str]:
        properties = schema.get("properties", {})
        faults = [f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        others = schema.get("additionalProperties", {})
        for name, inner in value.items():
            if name in properties:
                faults += self.faults(inner, properties[name], f"{where}.{name}")
            elif others is False:
                faults.append(f"{where}: {name} is undeclared")
            elif others is not True:
                faults += self.faults(inner, others, f"{where}.{name}")
            faults += self.faults(name, {"type": "string", **schema.get("propertyNames", {})}, f"{where}.{name}")
        known = [name for name in properties if name in value]
        if known != [name for name in value if name in properties]:
            faults.append(f"{where}: keys in the order {list(value)}")
        return faults

    def _operation(self, method: str, path: str) -> Json | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                operation: Json | None = operations.get(method.lower())
                return operation
        return None


def _bound_faults(value: Any, schema: Json, where: str) -> list[str]:
    kind, size = ("Length", len(value)) if isinstance(value, str) else ("imum", value)
    least, most = schema.get(f"min{kind}", size), schema.get(f"max{kind}", size)
    faults = [] if least <= size <= most else [f"{where}: {value!r} is out of bounds: {least} to {most}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        faults.append(f"{where}: {value!r} doesn't match {schema['pattern']}")
    return faults


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def _is_a(value: Any, kind: str) -> bool:
    return type(value) in _TYPES[kind]
