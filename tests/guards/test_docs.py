"""The guides say what the program does: no command, button, policy key or file is missing or made up."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from bot import __main__ as command_line
from bot.i18n import LOCALES, read_texts
from bot.talk.hearing import bare
from handlers import registry
from handlers.policy.fields import Words
from handlers.policy.model import Policy

ROOT = Path(__file__).parents[2]
LANGUAGES = {"zh": "zh_CN", "en": "en"}
GUIDES = ("villager.md", "cleaner.md", "staff.md", "operator.md", "commands.md", "said.md")
DOCS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
    if "decisions" not in path.parts
)
# `unknown` answers a command that does not exist; nobody types it.
CHAT_COMMANDS = {*registry.COMMANDS, *registry.FORM_COMMANDS} - {"unknown"}
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?:\]\(|src=\")([^)\s\"]+)[)\"]")
BUTTON = {"zh": re.compile(r"【([^】\s][^】]*)】"), "en": re.compile(r"<kbd>([^<]+)</kbd>")}
TYPED = {"zh": re.compile(r"「([^」]+)」"), "en": re.compile(r"“([^”]+)”")}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def guide(language: str, file: str) -> str:
    return (ROOT / "docs" / language / file).read_text("utf-8")


def texts(language: str) -> list[str]:
    found = read_texts(LOCALES / LANGUAGES[language]).values()
    return [one for text in found for one in ([text] if isinstance(text, str) else text)]


def code_of(text: str) -> list[str]:
    """What stands in backticks, and each line of a fenced block."""
    fenced = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()[1:-1]]
    return [*CODE.findall(FENCED.sub("", text)), *fenced]


def rows_of(language: str) -> dict[str, str]:
    """The rows of commands.md by the commands in their first column."""
    found: dict[str, str] = {}
    for line in guide(language, "commands.md").splitlines():
        cells = line.split("|")
        if len(cells) > 2:
            found |= dict.fromkeys(re.findall(r"`/([a-z]+)", cells[1]), line)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chat_command_has_its_row(language: str) -> None:
    assert sorted(CHAT_COMMANDS - set(rows_of(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_to_type_lead_to_the_command_of_their_row(language: str) -> None:
    """`phrase.<command>` of the catalogue holds each of the words quoted in the row's second column."""
    catalogue = read_texts(LOCALES / LANGUAGES[language])
    for command, row in rows_of(language).items():
        known = {bare(word) for word in str(catalogue.get(f"phrase.{command}", "")).split("|")}
        wrong = [said for said in TYPED[language].findall(row.split("|")[2]) if bare(said) not in known]
        assert wrong == [], f"/{command}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_right_is_named_where_a_command_needs_one(language: str) -> None:
    """The row of a command that needs a right has somebody in its third column; the others say «everyone»."""
    everyone = {"zh": "所有人", "en": "everyone"}[language]
    for command, row in rows_of(language).items():
        form = registry.FORMS.get(registry.FORM_COMMANDS.get(command, ""))
        action = registry.COMMANDS.get(command)
        right = (action.right if action else "") or (form.right if form else "")
        assert (row.split("|")[3].strip() == everyone) == (not right), f"/{command}"


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_no_chat_command_is_made_up(path: Path) -> None:
    source = "".join(file.read_text("utf-8") for file in (ROOT / "bot").rglob("*.py"))
    served = {route.split("/")[1] for route in re.findall(r'Route\(\s*"(/[a-z]+[^"]*)"', source)}
    said = [
        found[1] for code in code_of(path.read_text("utf-8")) if (found := re.match(r"/([a-z]{2,})(?![\w./-])", code))
    ]
    assert [one for one in said if one not in CHAT_COMMANDS | served] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_console_command_and_option_is_in_the_operators_guide(language: str) -> None:
    text = guide(language, "operator.md")
    for command, found in console().items():
        assert re.search(rf"python -m bot {command}\b", text), command
        for option in found:
            assert option in text, f"{command} {option}"


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_no_console_command_or_option_is_made_up(path: Path) -> None:
    known = console()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for code in code_of(path.read_text("utf-8")):
        for first, rest in re.findall(r"python -m bot(?: ([a-z]+)((?: [^|;&#]+)?))", code):
            command = first if first in known else " ".join((first, *rest.split()[:1]))
            assert command in known, code
            assert set(re.findall(r"--[a-z-]+", rest)) <= known[command] | {"--help"}, code
        for target in re.findall(r"(?:^|&& )(?:[A-Z_]+=\S+ )*make ([a-z]+)", code):
            assert target in targets, code


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_a_console_command_is_written_so_that_it_runs(path: Path) -> None:
    """Debian has no `python`, and its `python3` has none of the libraries: a command names the folder's own."""
    bare_ones = re.findall(r"(?<![\w/])python3? -m (?:bot|pytest|benchmarks)\b.*", path.read_text("utf-8"))
    assert bare_ones == []


def console() -> dict[str, set[str]]:
    """Each command of `python -m bot` (`wechat menu` is one) with its options."""
    group: Any = get_command(command_line.app)
    leaves = {
        f"{command} {name}".strip(): leaf
        for command, found in group.commands.items()
        for name, leaf in getattr(found, "commands", {"": found}).items()
    }
    return {
        command: {option for parameter in leaf.params for option in parameter.opts if option.startswith("--")}
        - {"--help"}
        for command, leaf in leaves.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_policy_key_is_in_the_operators_guide(language: str) -> None:
    said = set(CODE.findall(guide(language, "operator.md")))
    assert sorted(policy_keys() - said) == []


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_no_policy_key_is_made_up(path: Path) -> None:
    tables = {key.split(".")[0] for key in policy_keys() if "." in key}
    known = {*policy_keys(), *(key.rpartition(".")[0] for key in policy_keys())}
    known |= {key.replace("film.county.", "film.township.") for key in policy_keys()} | {"film.township"}
    said = [code for code in CODE.findall(path.read_text("utf-8")) if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", code)]
    assert [one for one in said if one.split(".")[0] in tables and one not in known and not is_file(one)] == []


def is_file(code: str) -> bool:
    return code.rpartition(".")[2] in ("md", "toml", "csv", "py", "po", "sql", "txt", "tar", "geojson", "db")


def policy_keys() -> set[str]:
    """Every key of policy.toml with its tables (`film.bounds.smallest_g`); both funds are described by the county's."""
    return {key.replace("film.township.", "film.county.") for key in _keys(Policy, "")}


def _keys(model: type[BaseModel], before: str) -> Iterator[str]:
    for field_name, field in model.model_fields.items():
        key = before + (field.alias or field_name)
        table = next((one for one in (field.annotation, *_parts(field.annotation)) if _is_table(one)), None)
        if table is None:
            yield key
        else:
            yield from _keys(table, f"{key}.")


def _parts(annotation: Any) -> Iterator[Any]:
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


def _is_table(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel) and part is not Words


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(FENCED.sub("", path.read_text("utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_files_named_in_the_documents_exist(path: Path) -> None:
    named = re.compile(r"(?:bot|handlers|storage|tests|docs|locales|benchmarks|examples)/[\w/.-]*\w")
    said = [code for code in CODE.findall(path.read_text("utf-8")) if named.fullmatch(code) and "NNNN" not in code]
    assert [one for one in said if not (ROOT / one).exists()] == []


def anchors(path: Path) -> set[str]:
    """The headings as a renderer names them: lower case, no signs, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guides_exist_in_both_languages(language: str) -> None:
    assert sorted(path.name for path in (ROOT / "docs" / language).iterdir()) == sorted(GUIDES)


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_button_in_the_guides_exists(path: Path) -> None:
    """A button is written 【…】 in Chinese and <kbd>…</kbd> in English; its label is a text of the catalogue."""
    text = path.read_text("utf-8")
    for language, pattern in BUTTON.items():
        labels = {re.sub(r"\s+", " ", label) for label in pattern.findall(text)}
        if labels:
            patterns = [*map(pattern_of, texts(language)), *map(re.escape, policy_names(LANGUAGES[language]))]
            known = re.compile("|".join(f"(?:{one})" for one in patterns))
            assert [label for label in labels if not known.fullmatch(label)] == []


@pytest.mark.parametrize("file", ["villager.md", "cleaner.md", "staff.md"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_in_the_guides_is_one(language: str, file: str) -> None:
    """Answers stand in ```text blocks; each of their lines is a line of a catalogue's text ("…" cuts one short)."""
    catalogue = read_texts(LOCALES / LANGUAGES[language])
    mark = ": " if language == "en" else "："
    lines = [
        *(pattern_of(line) for text in texts(language) for line in text.splitlines()),
        *(re.escape(f"{label}{mark}") + ".+" for key, label in catalogue.items() if key.endswith(".label")),
        "【.+】",  # a heading of the digest; the test of the buttons looks at it
        *(re.sub(r"\\{.*?\\}", ".+?", re.escape(str(catalogue[key]))) for key in ("film.ticket.who", "case.head")),
    ]
    known = re.compile("|".join(f"(?:{line})" for line in lines))
    blocks = re.findall(r"^```text\n(.*?)^```", guide(language, file), re.MULTILINE | re.DOTALL)
    said = [line for block in blocks for line in block.splitlines() if line.strip("….")]
    assert [line for line in said if not known.fullmatch(line)] == []


def pattern_of(text: str) -> str:
    """A text as an expression; a placeholder stands for any words. A text of placeholders only is no label."""
    parts = re.split(r"\{[^}]*\}", text)
    return ".+?".join(map(re.escape, parts)) if any(bare(part) for part in parts) else r"(?!)"


def policy_names(language: str) -> list[str]:
    """What the example policy calls kinds and reasons."""
    policy = tomllib.loads((ROOT / "examples" / "township" / "policy.toml").read_text("utf-8"))
    named = [*policy["film"]["kinds"], *policy["report"]["not_true_reasons"]]
    return [one["name"][language] for one in named]
