"""`wechat menu` and `wechat qr`: what an Official Account shows below the chat, and codes to be printed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.console.terminal import err, fail, load_settings, out, progress_bar, up_to_date
from storage.database import Unavailable

commands = typer.Typer(no_args_is_help=True, help="The WeChat account's menu, and codes to be printed.")


@commands.command()
def menu(
    show: Annotated[bool, typer.Option("--show", help="Only show what would be set.")] = False,
) -> None:
    """Set the account's menu as the policy in force says it."""
    from bot.console.townships import ConsoleError
    from bot.console.wechat import set_menu

    settings = load_settings()
    up_to_date(settings)
    try:
        lines, became = asyncio.run(set_menu(settings, only_show=show))
    except (ConsoleError, LookupError, Unavailable) as error:
        fail(str(error))
    for line in (*lines, became):
        out.print(line, markup=False)


@commands.command()
def qr(
    folder: Annotated[Path, typer.Option("--out", help="The folder for pictures, index.html and the list.")],
    stations: Annotated[bool, typer.Option("--stations", help="A code for each recycling station.")] = False,
    signs: Annotated[bool, typer.Option("--signs", help="A code for the sign at each landmark.")] = False,
    doors: Annotated[bool, typer.Option("--doors", help="A code for each household's door.")] = False,
    village: Annotated[str, typer.Option(help="Only those of this village, by name or code.")] = "",
) -> None:
    """Make permanent QR codes: whoever scans one lands in that place's form. Run it again to go on or to add."""
    from bot.console.townships import ConsoleError
    from bot.console.wechat import MANY_CODES, MOST_CODES, SHEET, make_codes

    chosen = {"station": stations, "sign": signs, "door": doors}
    kinds = [kind for kind, is_wanted in chosen.items() if is_wanted]
    if not kinds:
        fail("say of what: --stations, --signs, --doors, or several of them")
    settings = load_settings()
    up_to_date(settings)
    try:
        with progress_bar() as progress:
            made = make_codes(settings, kinds, village, folder, progress)
    except (ConsoleError, LookupError, Unavailable, OSError) as error:
        fail(str(error))
    out.print(f"{made.count} codes, {made.new} of them new: print {folder / SHEET}", markup=False)
    if made.listed >= MANY_CODES:
        err.print(f"the list has {made.listed:,} of the {MOST_CODES:,} codes that an account may have", markup=False)
