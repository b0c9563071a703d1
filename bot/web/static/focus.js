// Keeps the keyboard's place: a control that goes away must not drop the focus to the top of the page.

function isShown(node) {
  return node.isConnected && node.getClientRects().length > 0;
}

/** Watches a part of the page; `keep(node)` lets the focus go on from `node` when what had it there is gone. */
export class Focus {
  #box;
  #inside = false;

  constructor(box) {
    this.#box = box;
    document.addEventListener("focusin", ({ target }) => { this.#inside = box.contains(target); });
    document.addEventListener("focusout", ({ target, relatedTarget }) => {
      // Who taps beside everything wants no focus; what vanishes was not left.
      if (!relatedTarget && target.isConnected && isShown(target) && document.hasFocus()) this.#inside = false;
    });
  }

  keep(node) {
    const focused = document.activeElement;
    if (!this.#inside || (focused && focused !== document.body && isShown(focused))) return;
    const next = node || this.#box;
    if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
}

/** Moves a node by `move()`; the focus inside goes along with it. */
export function moved(node, move) {
  const held = node.contains(document.activeElement) ? document.activeElement : null;
  move();
  held?.focus({ preventScroll: true });
}

/** Hides a part of the page; the focus that was in it goes to `next`. */
export function hide(node, next) {
  const had = node.contains(document.activeElement);
  node.hidden = true;
  if (had) next.focus({ preventScroll: true });
}
