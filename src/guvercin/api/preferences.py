"""The two request headers that change how a send is answered: Prefer (RFC 7240) and Idempotency-Key.

Idempotency-Key counts on the four operations that make a row: `gonder`, `toplu-gonder`, `dosya-gonder` and
`yeniden-gonder`; the key is stored in the accepting transaction. The other POSTs need none: withdrawing, releasing,
pausing, resuming and choosing the default end the same however often they are asked, and a file that is uploaded twice
is only stored under two ids.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request

from guvercin.api.bodies import body_hash
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.gateway.requests import IdempotencyKey

LONGEST_WAIT = timedelta(seconds=120)
_LONGEST_KEY = 255

_LONGEST_PREFER = 1_000
"""Letters of Prefer that are read. Nobody has so many wishes, and it bounds the work."""

_QUOTED_VALUE = re.compile(r'"([^",;\\]*)"|"(?:[^"\\]|\\.)*"')
"""A quoted value: plain words lose their quotes, what could be taken for another preference goes altogether."""

_SECONDS = re.compile(r"[0-9]{1,9}")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-~]+")


@dataclass(frozen=True, slots=True)
class Preference:
    """How a caller wants to be answered: how long it waits, whether 202 is welcome, and what we say we applied."""

    wait: timedelta
    is_async: bool = False
    applied: str | None = None

    def answers_accepted(self, *, is_open: bool) -> bool:
        """Say whether 202 is the answer: at once, or for what the caller's own wait didn't finish."""
        return self.is_async and (is_open or not self.wait)

    def headers(self) -> dict[str, str]:
        """Answer the header that says what was applied."""
        return {} if self.applied is None else {"Preference-Applied": self.applied}


def preference(request: Request, *, usual_wait: timedelta) -> Preference:
    """Read Prefer. `respond-async` answers 202 at once; with `wait=n` too, only what is not done after n seconds.

    `wait=n` above 120 waits 120, and Preference-Applied says so. What can't be read is ignored, as the RFC wants.
    """
    lines = request.headers.getlist("prefer")
    if not lines:
        return Preference(usual_wait)
    wishes: dict[str, str] = {}
    for wish in _QUOTED_VALUE.sub(r"\1", ", ".join(lines)[:_LONGEST_PREFER]).split(","):
        name, _, value = wish.partition(";")[0].partition("=")
        wishes.setdefault(name.strip().lower(), value.strip())
    is_async = "respond-async" in wishes
    applied = ["respond-async"] if is_async else []
    wait = timedelta(0) if is_async else usual_wait
    if _SECONDS.fullmatch(wishes.get("wait", "")):
        wait = min(timedelta(seconds=int(wishes["wait"])), LONGEST_WAIT)
        applied.append(f"wait={int(wait.total_seconds())}")
    return Preference(wait, is_async=is_async, applied=", ".join(applied) or None)


def idempotency_key(request: Request, body: object) -> IdempotencyKey | None:
    """Read Idempotency-Key: quoted as in the IETF's draft, or bare. Raises INVALID_FIELD for one that is neither."""
    header = request.headers.get("idempotency-key")
    if header is None:
        return None
    text = header.strip()
    if quoted := _QUOTED.fullmatch(text):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = text if _BARE.fullmatch(text) else ""
    if not key or len(key) > _LONGEST_KEY:
        fault = FieldFault("Idempotency-Key", "uzun", {"limit": _LONGEST_KEY}) if key else _UNREADABLE_KEY
        raise GuvercinError(Code.INVALID_FIELD, faults=(fault,))
    return IdempotencyKey(method=request.method, path=request.url.path, key=key, body_hash=body_hash(body))


_UNREADABLE_KEY = FieldFault("Idempotency-Key", "gecersiz")
