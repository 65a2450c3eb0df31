"""How a page becomes bytes: the templates, and what each of them may use.

Laws
1. Everything is escaped; what is marked safe is made by segno or by our own drawings, and a test lists the places.
2. The template engine is loaded when the first page is asked for, not when the server starts.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from guvercin import __version__
from guvercin.locale import Language
from guvercin.panel import assets
from guvercin.panel.viewer import Viewer

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_FOLDER = Path(__file__).parent / "templates"

_NAMES: Mapping[Language, str] = {Language.TR: "Türkçe", Language.EN: "English"}


def draw(template: str, viewer: Viewer, **values: Any) -> str:
    """Fill a template. It knows the viewer as `v`, and says sentences by `say`."""
    return _templates().get_template(template).render(v=viewer, say=viewer.say, **values)


def page(
    template: str, viewer: Viewer, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """Answer a page in the viewer's language."""
    told = {"Content-Language": viewer.language, **(headers or {})}
    return Response(draw(template, viewer, **values), status_code=status, media_type="text/html", headers=told)


_MARKS = re.compile(r"(?<!\w)([*_~])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_TAGS = {"*": "strong", "_": "em", "~": "s"}


def formatted(text: str) -> "Markup":
    """Show a text as WhatsApp does: `*bold*`, `_italic_`, `~struck~`. Everything else in it is text."""
    from markupsafe import Markup, escape  # noqa: PLC0415 -- law 2

    shown, end = Markup(), 0
    for found in _MARKS.finditer(text):
        tag = _TAGS[found[1]]
        shown += escape(text[end : found.start()]) + Markup(f"<{tag}>") + escape(found[2]) + Markup(f"</{tag}>")  # noqa: S704
        end = found.end()
    return shown + escape(text[end:])


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 -- law 2
    from markupsafe import Markup, escape  # noqa: PLC0415 -- law 2

    def icon(name: str, kind: str = "") -> Markup:
        """Draw an icon. It says nothing by itself: a word stands beside it."""
        address = assets.address("icons.svg")
        return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
            escape(kind), address, name
        )

    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(asset=assets.address, icon=icon, formatted=formatted, languages=_NAMES, version=__version__)
    return made
