// Full-screen pictures. Esc, the back key and the cross close it; arrows turn the page.

import { inTownship, readAbout } from "./api.js";
import { hide } from "./focus.js";
import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

/** Shows one message's media; items are {kind, url, alt}. */
export class Viewer {
  #box = $("viewer");
  #items = [];
  #index = 0;

  constructor() {
    $("viewer-close").addEventListener("click", () => history.back());
    $("viewer-prev").addEventListener("click", () => this.#turn(-1));
    $("viewer-next").addEventListener("click", () => this.#turn(1));
    $("viewer-stage").addEventListener("click", (event) => {
      if (event.target.tagName !== "VIDEO") history.back();
    });
    $("viewer-full").addEventListener("click", () => this.#showFull(this.#items[this.#index]));
    this.#box.addEventListener("cancel", (event) => {
      event.preventDefault();
      history.back();
    });
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") this.#turn(-1);
      if (event.key === "ArrowRight") this.#turn(1);
    });
    window.addEventListener("popstate", () => this.#close());
  }

  open(items, index) {
    this.#items = items;
    this.#index = index;
    history.pushState({ viewer: true }, "");
    if (this.#box.showModal) this.#box.showModal();
    else this.#box.setAttribute("open", "");
    this.#show();
  }

  #close() {
    if (!this.#box.hasAttribute("open")) return;
    $("viewer-stage").replaceChildren();
    if (this.#box.close) this.#box.close();
    else this.#box.removeAttribute("open");
  }

  #turn(step) {
    const next = this.#index + step;
    if (next < 0 || next >= this.#items.length) return;
    this.#index = next;
    this.#show();
  }

  /** Offers the original of a picture that was sent smaller, where it has come, with its size. */
  async #offer(item) {
    $("viewer-full").hidden = true;
    if (item.kind === "video" || !item.url.startsWith("/media/")) return;
    const { original_bytes: bytes } = await readAbout(item.url).catch(() => ({ original_bytes: 0 }));
    if (!bytes || item !== this.#items[this.#index] || !this.#box.hasAttribute("open")) return;
    $("viewer-full").textContent = t("full", { size: (bytes / 1048576).toFixed(1) });
    $("viewer-full").hidden = false;
  }

  #showFull(item) {
    hide($("viewer-full"), $("viewer-close"));
    this.#show({ ...item, url: inTownship(`${item.url.split("?")[0]}?size=full`) }, true);
  }

  #show(item = this.#items[this.#index], tried = false) {
    if (!tried) this.#offer(item);
    const node = document.createElement(item.kind === "video" ? "video" : "img");
    const caption = item.alt || "";
    if (item.kind === "video") {
      node.controls = true;
      node.playsInline = true;
      node.setAttribute("aria-label", caption || t("movie"));
    } else {
      node.alt = caption || t("image");
    }
    node.addEventListener("error", () => {
      // a channel may have called a video a picture: only the content tells
      if (tried) $("viewer-text").textContent = t("mediaFailed");
      else this.#show({ ...item, kind: item.kind === "video" ? "image" : "video" }, true);
    });
    node.src = item.url;
    $("viewer-stage").replaceChildren(node);
    const page = this.#items.length > 1 ? `${this.#index + 1}/${this.#items.length}` : "";
    $("viewer-text").textContent = [page, caption].filter(Boolean).join("  ");
    $("viewer-prev").hidden = this.#index === 0;
    $("viewer-next").hidden = this.#index === this.#items.length - 1;
  }
}
