"""The public pages: what every code means (/hatalar), and the whole API on one page (/belge). No script, no sign-in.

Laws
1. A page needs nothing but itself and one style sheet: no script, no font, no foreign address, a policy that says so.
2. The template engine is loaded when the first page is asked for, not when the server starts.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.api.problems import STATUS, describe
from guvercin.api.reference import chapters
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.locale import Language, choose_language, sentence, translator
from guvercin.locale.codes import SECTIONS, WORDS
from guvercin.locale.faults import FAULTS

if TYPE_CHECKING:
    from jinja2 import Environment

BULK = "/api/v1/whatsapp/toplu-gonder"
"""The operation whose place on the page tells of the risk."""

RISK = (
    sentence("WhatsApp forbids unofficial and bulk use of linked phones: it may restrict or close your number."),
    sentence("Spacing the messages is a courtesy, not a protection. No setting can promise that nothing will happen."),
    sentence("For a number that matters to you, use Meta's official Cloud API, and write only to people who want it."),
)

_FOLDER = Path(__file__).parent / "templates"

_CSS = (_FOLDER / "belge.css").read_bytes()
_CSS_DIGEST = sha256(_CSS).hexdigest()[:12]
_CSS_PATH = f"/belge.{_CSS_DIGEST}.css"

_NAMES: Mapping[Language, str] = MappingProxyType({Language.TR: "Türkçe", Language.EN: "English"})

_SAFETY: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    },
)


def routes(document: Callable[[], Mapping[str, Any]]) -> list[Route]:
    """Answer the routes of the pages. `document` answers the app's OpenAPI document; it is asked when it is shown."""

    @lru_cache(maxsize=8)  # a language and an address each: a page of this size is not made anew for every visitor
    def reference(language: Language, address: str) -> bytes:
        say = translator(language)
        shown = document()
        example = describe(
            GuvercinError(Code.INVALID_PHONE, faults=(FieldFault("telefon", "eksik_hane"),)),
            language=language,
            instance="/api/v1/whatsapp/gonder",
            request_id="7f3a21c0",
            wire_name=str,
        )
        return _render(
            "belge.html",
            language,
            chapters=chapters(shown, address, say),
            about=say(shown.get("info", {}).get("description", "")),
            version=shown.get("info", {}).get("version", ""),
            address=address,
            bulk=BULK,
            risk=RISK,
            example=example.model_dump_json(by_alias=True, exclude_none=True, indent=2),
        )

    async def show_reference(request: Request) -> Response:
        language = _language(request)
        return _page(reference(language, _address(request)), language)

    return [
        Route("/belge", show_reference, name="belge"),
        Route("/belge.{digest}.css", _show_style, name="belge.css"),
        Route("/hatalar", _show_codes, name="hatalar"),
        Route("/hatalar/{word}", _show_code, name="hata"),
    ]


async def _show_codes(request: Request) -> Response:
    language = _language(request)
    return _page(_render("hatalar.html", language, sections=SECTIONS, status=STATUS, faults=FAULTS), language)


async def _show_code(request: Request) -> Response:
    language, word = _language(request), request.path_params["word"]
    code = next((code for code in Code if code == word), None)
    if code is None:
        return _page(_render("bulunamadi.html", language), language, status=404)
    section = next(title for title, codes in SECTIONS.items() if code in codes)
    voices = sorted(map(translator, Language), key=lambda say: say.language is not language)
    page = _render(
        "hata.html", language, code=code, words=WORDS[code], status=STATUS[code], section=section, voices=voices
    )
    return _page(page, language)


async def _show_style(request: Request) -> Response:
    """Answer the style sheet. Only under its own name may it be kept for ever; an older page gets the present one."""
    is_current = request.path_params["digest"] == _CSS_DIGEST
    keep = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return Response(_CSS, media_type="text/css", headers={"Cache-Control": keep, "X-Content-Type-Options": "nosniff"})


def _page(body: bytes, language: Language, status: int = 200) -> Response:
    told = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-cache"}
    return Response(body, status_code=status, media_type="text/html", headers={**_SAFETY, **told})


def _language(request: Request) -> Language:
    """Answer the language of a page: the one that a link chose (?dil=en), else the browser's."""
    chosen = request.query_params.get("dil")
    return choose_language(chosen or ", ".join(request.headers.getlist("accept-language")))


_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+[A-Za-z0-9._~/-]*")


def _address(request: Request) -> str:
    """Answer the server's own address as the visitor wrote it, unless it holds what no address has."""
    address = str(request.base_url).rstrip("/")
    return address if _PLAIN_ADDRESS.fullmatch(address) else "http://127.0.0.1:8080"


def _render(template: str, language: Language, **values: Any) -> bytes:
    page = _templates().get_template(template)
    return page.render(
        say=translator(language),
        language=language,
        languages=_NAMES,
        style=_CSS_PATH,
        **values,
    ).encode()


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 -- law 2

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
