"""The page's files and the service worker that keeps them must agree, or phones run a stale mixture."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "bot" / "web" / "static"
NOT_IN_SHELL = {"sw.js", "icon-192.png", "icon-512.png", "icon-maskable-512.png"}
FIRST_LOAD_LIMIT_BYTES = 150_000


def shell_paths() -> list[str]:
    """The addresses that `sw.js` keeps, in its order."""
    block = re.search(r"const SHELL = \[(.*?)\];", (STATIC / "sw.js").read_text("utf-8"), re.S)
    assert block is not None
    return re.findall(r'"([^"]+)"', block.group(1))


def shell_files() -> list[Path]:
    """The same as files, `/` being the page itself."""
    names = ("index.html" if path == "/" else path.removeprefix("/static/") for path in shell_paths())
    return [STATIC / name for name in names]


def test_the_service_worker_keeps_every_file_of_the_page() -> None:
    expected = {path.name for path in STATIC.iterdir() if path.is_file()} - NOT_IN_SHELL
    assert {path.name for path in shell_files()} == expected


def test_the_service_worker_version_follows_the_files() -> None:
    digest = hashlib.sha256()
    for path in shell_files():
        digest.update(path.read_bytes())
    expected = digest.hexdigest()[:12]
    assert f'const VERSION = "{expected}";' in (STATIC / "sw.js").read_text("utf-8"), (
        f'bot/web/static/sw.js: set VERSION to "{expected}", so that phones fetch the changed files'
    )


def loaded_by_need() -> set[str]:
    """Modules that the page asks for only when it needs them; the service worker fetches them afterwards."""
    scripts = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js"))
    return set(re.findall(r'import\("\./([\w-]+\.js)"\)', scripts))


def test_first_load_is_small_even_without_compression() -> None:
    first = [path for path in shell_files() if path.name not in loaded_by_need()]
    assert len(first) < len(shell_files())
    plain = sum(path.stat().st_size for path in first)
    packed = sum(len(gzip.compress(path.read_bytes())) for path in first)
    assert plain < FIRST_LOAD_LIMIT_BYTES
    assert packed < FIRST_LOAD_LIMIT_BYTES / 3


def test_the_page_asks_no_other_host_and_holds_no_inline_code() -> None:
    for path in shell_files():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
    page = (STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


def test_texts_are_never_written_as_markup() -> None:
    markup = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    for path in STATIC.glob("*.js"):
        assert not markup.search(path.read_text("utf-8")), path.name


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    source = (STATIC / "texts.js").read_text("utf-8")
    tables = []
    for name in ("ZH", "EN"):
        block = re.search(rf"const {name} = {{(.*?)\n}};", source, re.S)
        assert block is not None
        rows = re.findall(r'^  (\w+): "(.*)",$', block.group(1), re.M)
        tables.append({key: set(re.findall(r"{\w+}", text)) for key, text in rows})
    assert tables[0] == tables[1]
    assert len(tables[0]) > 40


def test_every_key_the_page_uses_has_words() -> None:
    source = (STATIC / "texts.js").read_text("utf-8")
    known = set(re.findall(r'^  (\w+): "', source, re.M))
    used = set(re.findall(r'data-t(?:-label)?="(\w+)"', (STATIC / "index.html").read_text("utf-8")))
    for path in STATIC.glob("*.js"):
        used |= set(re.findall(r'\bt\("(\w+)"', path.read_text("utf-8")))
    assert used <= known
