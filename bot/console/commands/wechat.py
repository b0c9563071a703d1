"""`wechat menu` and `wechat qr`: what an Official Account shows below the chat, and codes to be printed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.console.help import CommandLine
from bot.console.terminal import err, load_settings, out, progress_bar, up_to_date
from bot.console.words import OperatorError, say

commands = CommandLine()


@commands.command()
def menu(
    show: Annotated[bool, typer.Option("--show")] = False,
) -> None:
    """Set the account's menu as the policy in force says it."""
    from bot.console.wechat import set_menu

    settings = load_settings()
    up_to_date(settings)
    lines, became = asyncio.run(set_menu(settings, only_show=show))
    for line in (*lines, became):
        out.print(line, markup=False)


@commands.command()
def qr(
    folder: Annotated[Path, typer.Option("--out")],
    stations: Annotated[bool, typer.Option("--stations")] = False,
    signs: Annotated[bool, typer.Option("--signs")] = False,
    doors: Annotated[bool, typer.Option("--doors")] = False,
    village: Annotated[str, typer.Option()] = "",
) -> None:
    """Make permanent QR codes: whoever scans one lands in that place's form. Run it again to go on or to add."""
    from bot.console.wechat import MANY_CODES, MOST_CODES, SHEET, make_codes

    chosen = {"station": stations, "sign": signs, "door": doors}
    kinds = [kind for kind, is_wanted in chosen.items() if is_wanted]
    if not kinds:
        raise OperatorError("codes_of_what")
    settings = load_settings()
    up_to_date(settings)
    with progress_bar() as progress:
        made = make_codes(settings, kinds, village, folder, progress)
    out.print(say("wechat.codes", count=made.count, new=made.new, sheet=folder / SHEET), markup=False)
    if made.listed >= MANY_CODES:
        err.print(say("wechat.many_codes", count=made.listed, most=MOST_CODES), markup=False)
