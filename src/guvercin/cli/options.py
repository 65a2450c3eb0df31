"""Options that several commands share, declared once."""

from typing import Annotated

import typer

from guvercin.locale import sentence

Json = Annotated[bool, typer.Option("--json", help=sentence("Answer with one JSON object."))]
