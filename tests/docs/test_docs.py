"""The documents say what is: what is generated is up to date, what is listed is complete, what is linked exists."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from guvercin.config import Config

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("examples/*.md")})
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
SETTING = re.compile(r"\bGUVERCIN_[A-Z_]+")
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>test_\w+)`")
FIRST_CELL = re.compile(r"^\| `?(?P<cell>[\w.-]+)`? \|", re.MULTILINE)

OUTSIDE_THE_SERVER = {
    "GUVERCIN_URL": "the examples' own",
    "GUVERCIN_ROUNDS": "the tests' own",
    "GUVERCIN_DAY": "the tests' own",
    "GUVERCIN_DOMAIN": "the proxy's own",
}
"""Names in capitals that are no settings of the server, and whose they are."""


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def first_cells(path: str) -> set[str]:
    return {row["cell"] for row in FIRST_CELL.finditer(read(path))} - {"package", "variable"}


def test_the_generated_parts_are_up_to_date() -> None:
    """The pictures match TRANSITIONS and LINE_TRANSITIONS, the licences match the locks. If not: make docs."""
    check = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, encoding="utf-8", check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    groups: Iterable[list[str]] = project["dependency-groups"].values()
    extras: Iterable[list[str]] = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], *extras, *groups]
    asked_for = {Requirement(line).name for lines in lists for line in lines}
    assert first_cells("docs/DEPENDENCIES.md") == asked_for


def test_the_build_asks_for_what_the_build_group_locks() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    assert set(project["build-system"]["requires"]) <= set(project["dependency-groups"]["build"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link["target"].partition("#")[0] for link in LINK.finditer(page.read_text(encoding="utf-8"))]
    inside = [target for target in targets if target and "://" not in target]
    assert [target for target in inside if not (page.parent / target).exists()] == []


def test_every_setting_that_is_named_is_explained() -> None:
    files = [*PAGES, *ROOT.glob("deploy/*"), *ROOT.glob("examples/*/*.*"), ROOT / "Makefile"]
    named = {name for file in files for name in SETTING.findall(file.read_text(encoding="utf-8"))}
    assert named - OUTSIDE_THE_SERVER.keys() == first_cells("docs/CONFIGURATION.md")


def test_every_setting_stands_with_its_default() -> None:
    """`none` and words stand where the default is nothing, or says where something is."""
    row = re.compile(r"^\| `GUVERCIN_(?P<name>[A-Z_]+)` \| `?(?P<default>[^`|]+?)`? \|", re.MULTILINE)
    shown = {row["name"].lower(): row["default"] for row in row.finditer(read("docs/CONFIGURATION.md"))}
    assert shown.pop("lang") == "tr", "the terminal's own"
    assert {shown.pop(f"meta_{secret}") for secret in ("token", "app_secret", "verify_token")} == {"none"}, "as lang"
    assert shown.keys() == Config.model_fields.keys()
    for name, field in Config.model_fields.items():
        default = field.get_default()
        if name in {"data_dir", "database_url"} or default in {None, ()}:
            continue
        assert shown[name] == str(int(default) if isinstance(default, bool) else default), name


def test_every_test_that_is_named_is_there() -> None:
    named = {match for page in PAGES for match in TEST.findall(page.read_text(encoding="utf-8"))}
    assert named
    assert {f"{file}::{name}" for file, name in named if not re.search(rf"\bdef {name}\(", read(file))} == set()


def test_both_readmes_show_the_same_commands() -> None:
    def commands(page: str) -> list[str]:
        lines = [line for block in re.findall(r"```sh\n(.*?)```", read(page), re.DOTALL) for line in block.splitlines()]
        return [line.partition("#")[0].strip() for line in lines if not line.lstrip().startswith("-d ")]

    assert commands("README.md") == commands("README.tr.md")
