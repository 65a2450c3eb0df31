"""Holds every answer to the OpenAPI document: its status is declared, its body is what the declared schema says."""

import re
from typing import Any

import httpx2

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
        asked = f"{answer.request.method} {answer.request.url.path} -> {answer.status_code}"
        if "x-request-id" not in answer.headers:
            self._troubles.append(f"{asked}: no X-Request-Id")
        operation = self._operation(answer.request)
        if operation is None:
            return
        response = operation["responses"].get(str(answer.status_code))
        if response is None:
            self._troubles.append(f"{asked}: undeclared; body {answer.text[:200]}")
            return
        kind = answer.headers["content-type"].partition(";")[0]
        media = response["content"].get(kind)
        if media is None:
            self._troubles.append(f"{asked}: undeclared content type {kind}")
        elif kind.endswith("json"):
            self._troubles += [f"{asked}: {trouble}" for trouble in self.faults(answer.json(), media["schema"])]
            codes = response.get("x-kodlar", ())
            if codes and answer.json()["kod"] not in codes:
                self._troubles.append(f"{asked}: undeclared kod {answer.json()['kod']}")

    def check(self) -> None:
        """Fail with everything that was wrong."""
        assert not self._troubles, "\n".join(self._troubles)

    def faults(self, value: Any, schema: Json, where: str = "$") -> list[str]:
        """Answer what a value breaks of a schema: the part of JSON Schema that our document uses."""
        match schema:
            case {"$ref": reference}:
                schemas = self._document["components"]["schemas"]
                found = self.faults(value, schemas[reference.rpartition("/")[2]], where)
            case {"anyOf": choices}:
                tries = [self.faults(value, choice, where) for choice in choices]
                found = [] if [] in tries else [f"{where}: {value!r} fits no choice: {tries}"]
            case {"const": only}:
                found = [] if value == only else [f"{where}: {value!r} is not {only!r}"]
            case {"enum": words}:
                found = [] if value in words else [f"{where}: {value!r} is not one of {words}"]
            case {"type": kind} if not _is_a(value, kind):
                found = [f"{where}: {value!r} is no {kind}"]
            case {"type": "object"}:
                found = self._object_faults(value, schema, where)
            case {"type": "array"}:
                items = schema.get("items", {})
                found = [fault for at, item in enumerate(value) for fault in self.faults(item, items, f"{where}[{at}]")]
            case {"type": "string", "pattern": pattern} if not re.search(pattern, value):
                found = [f"{where}: {value!r} doesn't match {pattern}"]
            case _:
                found = []
        return found

    def _object_faults(self, value: Json, schema: Json, where: str) -> list[str]:
        properties = schema.get("properties", {})
        faults = [f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, inner in value.items():
            if name in properties:
                faults += self.faults(inner, properties[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                faults.append(f"{where}: {name} is undeclared")
        known = [name for name in properties if name in value]
        if known != [name for name in value if name in properties]:
            faults.append(f"{where}: keys in the order {list(value)}")
        return faults

    def _operation(self, request: httpx2.Request) -> Json | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(request.url.path):
                operation: Json | None = operations.get(request.method.lower())
                return operation
        return None


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
