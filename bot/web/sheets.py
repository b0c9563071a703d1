"""A page with a few words and one or two large buttons, for what happens before the chat itself is open."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.i18n import Catalogues
from bot.talk.messages import text
from bot.web.guard import language_of

WHOLE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/chat.css">
</head>
<body>
<main class="sheet">
<h1>{title}</h1>
<p>{words}</p>
{buttons}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`<key>.title` and `<key>.words` of the catalogue; buttons (a text's id, where it leads), the main one first."""

    key: str
    status: int
    buttons: tuple[tuple[str, str], ...] = ()

    def answer(self, request: Request, catalogues: Catalogues) -> Response:
        """In the reader's language."""
        language = language_of(request, catalogues)

        def said(key: str) -> str:
            return escape(catalogues[language].render(text(key)))

        ranks = ("big primary", "big")
        buttons = (
            f'<a class="{rank}" href="{escape(leads_to)}">{said(label)}</a>'
            for rank, (label, leads_to) in zip(ranks, self.buttons, strict=False)
        )
        page = WHOLE.format(
            language=language.replace("_", "-"),
            title=said(f"{self.key}.title"),
            words=said(f"{self.key}.words"),
            buttons="\n".join(buttons),
        )
        return HTMLResponse(page, self.status)
