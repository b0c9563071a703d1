"""Printed codes: the pictures, a sheet of eight to a page of A4, and the list of what was asked of the platform. Pure
but for the list, which is a file that grows by a line at a time.
"""

from __future__ import annotations

import base64
import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

import segno

A_PAGE = 8
COLUMNS = ("scene", "name", "url")
PRINT_SCALE, SHEET_SCALE, BORDER = 12, 4, 4
NAME_CHARS = 40
_ODD = re.compile(r"[^\w.-]+")
_STYLE = """
@page { size: A4; margin: 8mm }
* { box-sizing: border-box }
body { margin: 0; color: #000; font: 11pt/1.35 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
section { width: 194mm; height: 280mm; margin: 0 auto; padding-top: 7mm; position: relative; break-after: page;
  display: grid; grid: repeat(4, 1fr) / repeat(2, 1fr); gap: 3mm }
section > header { position: absolute; top: 0; left: 1mm; font-size: 9pt; color: #555 }
article { border: .2mm dashed #999; padding: 3mm; display: flex; align-items: center; gap: 3mm; overflow: hidden }
img { width: 48mm; height: 48mm; flex: none; image-rendering: pixelated }
h2 { margin: 0 0 2mm; font-size: 15pt; line-height: 1.2; overflow-wrap: anywhere }
p { margin: 0 0 2mm }
small { color: #555 }
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """A code and what stands beside it. `group`: each has pages of its own."""

    scene: str
    group: str
    title: str
    place: str
    hint: str

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return f"{self.place} {self.title}"

    @property
    def file(self) -> str:
        """The name of its picture's file, on every kind of disk."""
        return f"{_ODD.sub('_', self.name)[:NAME_CHARS]}_{self.scene}.png"


def picture(url: str, scale: int = PRINT_SCALE) -> bytes:
    """A PNG that is still read when a quarter of it is scratched or dirty."""
    found = io.BytesIO()
    segno.make(url, error="q", micro=False).save(found, kind="png", scale=scale, border=BORDER)
    return found.getvalue()


def sheet(town: str, codes: Sequence[tuple[Printed, str]]) -> str:
    """A page of HTML to be printed, with everything in it: each code with its address."""
    pages = "".join(_pages(town, codes))
    return (
        f'<!doctype html>\n<html lang="zh-CN">\n<meta charset="utf-8">\n<title>{escape(town)}</title>\n'
        f"<style>{_STYLE}</style>\n{pages}</html>\n"
    )


def _pages(town: str, codes: Sequence[tuple[Printed, str]]) -> Iterator[str]:
    for group, some in groupby(codes, key=lambda code: code[0].group):
        members = list(some)
        for at in range(0, len(members), A_PAGE):
            articles = "".join(_article(town, one, url) for one, url in members[at : at + A_PAGE])
            yield f"<section>\n<header>{escape(town)} · {escape(group)}</header>\n{articles}</section>\n"


def _article(town: str, one: Printed, url: str) -> str:
    data = base64.b64encode(picture(url, SHEET_SCALE)).decode()
    return (
        f'<article><img alt="{escape(one.scene)}" src="data:image/png;base64,{data}">'
        f"<div><h2>{escape(one.title)}</h2><p>{escape(one.place)}</p><p>{escape(one.hint)}</p>"
        f"<small>{escape(town)}</small></div></article>\n"
    )


class List:
    """A CSV of scene, name and address: what is in it was asked for and is not asked for again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        for scene, name, url in self._read():
            self._names[scene], self.urls[scene] = name, url

    def _read(self) -> Iterator[Sequence[str]]:
        if self._path.exists():
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                # the head has no address, nor has a line that was cut short
                yield from (row for row in csv.reader(file) if len(row) == len(COLUMNS) and "://" in row[2])

    def begin(self, names: Mapping[str, str]) -> None:
        """Write what is known once more, with the names of today, so that only whole lines are there."""
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows((scene, names.get(scene, self._names[scene]), url) for scene, url in self.urls.items())
        part.replace(self._path)

    def add(self, scene: str, name: str, url: str) -> None:
        """A code that the platform has just given; it is on the disk when this returns."""
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow((scene, name, url))
            file.flush()
            os.fsync(file.fileno())
        self.urls[scene] = url
