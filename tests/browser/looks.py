"""What can be measured of a page's looks: names, sizes, overlaps, cut texts, contrast."""

from __future__ import annotations

from typing import Any

from tests.browser.chat import Chat

SMALLEST_TARGET_PX = 44
LEAST_CONTRAST = 4.5

LAYOUT = """
(smallest) => {
  const faults = [];
  const shown = (node) => node.checkVisibility() && node.getClientRects().length > 0;
  const name = (node) => `${node.tagName.toLowerCase()}.${node.className} «${node.textContent.trim().slice(0, 30)}»`;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) faults.push(`the page is ${wide} px wide`);
  const log = document.getElementById("log");
  if (log.scrollWidth > log.clientWidth) faults.push(`the chat scrolls sideways: ${log.scrollWidth} px`);
  const blocks = [
    ...all("#title, #menu"),
    ...all("#log .bubble, #log .choice, #log .big, #log .link, #log .gallery, #log .quiet, #log .time"),
  ];
  for (const node of blocks) {
    const box = node.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth + 0.5) faults.push(`${name(node)} leaves the screen`);
    const words = document.createRange();
    words.selectNodeContents(node);
    const text = words.getBoundingClientRect();
    if (text.right > box.right + 1 || text.left < box.left - 1) faults.push(`${name(node)} is cut at the side`);
    if (text.bottom > box.bottom + 1 || text.top < box.top - 1) faults.push(`${name(node)} is cut above or below`);
  }
  blocks.forEach((node, at) => {
    const a = node.getBoundingClientRect();
    for (const other of blocks.slice(at + 1)) {
      if (node.contains(other) || other.contains(node)) continue;
      if (log.contains(node) !== log.contains(other)) continue; // scrolled away under the top
      const b = other.getBoundingClientRect();
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 0.5 && down > 0.5) faults.push(`${name(node)} overlaps ${name(other)}`);
    }
  });
  for (const image of all(".gallery.one img")) {
    const cut = (image.clientWidth / image.clientHeight) / (image.naturalWidth / image.naturalHeight);
    if (cut < 0.8 || cut > 1.25) faults.push(`the picture ${image.src} is cut`);
  }
  for (const node of all("button, a[href], textarea, label.date")) {
    const box = node.getBoundingClientRect();
    if (box.height < smallest) faults.push(`${name(node)} is ${box.height} px high`);
    if (box.width < smallest) faults.push(`${name(node)} is ${box.width} px wide`);
  }
  const bar = document.getElementById("composer").getBoundingClientRect();
  if (bar.bottom > innerHeight + 0.5 || bar.top < 0) faults.push("the input bar is off the screen");
  return faults;
}
"""

NAMELESS = """
() => [...document.querySelectorAll("button, a[href], textarea, input, [role=log], dialog, select")]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim()))
  .map((node) => node.outerHTML.slice(0, 120))
"""

CONTRAST = """
(least) => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map((at) => top[at] * alpha + below[at] * (1 - alpha));
  };
  const ground = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement) {
      layers.push(channels(getComputedStyle(each).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const faults = [];
  const texts = "#title, #menu, .bubble, .choice, .choice small, .big, .link, .time, .note, #text, #hint-text, b";
  for (const node of document.querySelectorAll(texts)) {
    if (!node.checkVisibility()) continue;
    const below = ground(node);
    const found = ratio(over(channels(getComputedStyle(node).color), below), below);
    if (found < least) faults.push(`${node.className || node.id} ${found.toFixed(2)}`);
  }
  return [...new Set(faults)];
}
"""


async def layout_faults(chat: Chat) -> list[str]:
    """What overlaps, leaves the screen, is cut or too small to hit with a thumb."""
    return await _list(chat, LAYOUT, SMALLEST_TARGET_PX)


async def nameless(chat: Chat) -> list[str]:
    """Controls that a screen reader could not name."""
    return await _list(chat, NAMELESS)


async def contrast_faults(chat: Chat) -> list[str]:
    """Texts with less than 4.5 : 1 against what is behind them (WCAG 2.2 AA)."""
    return await _list(chat, CONTRAST, LEAST_CONTRAST)


async def _list(chat: Chat, script: str, value: Any = None) -> list[str]:
    found = await chat.ask(script, value)
    assert isinstance(found, list)
    return [str(each) for each in found]
