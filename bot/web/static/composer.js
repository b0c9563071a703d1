// The input bar: text, the ＋ panel, hints.

import { hide } from "./focus.js";
import { t } from "./texts.js";

const HINTS = { text: "askText", number: "askNumber", weight: "askWeight", percent: "askPercent", date: "askDate",
  place: "askPlace", photos: "askPhotos", photos_words: "askPhotosWords", choice: "askChoice",
  choice_words: "askChoiceWords", secret: "askSecret" };
const MOST_LINES_SHARE = 0.3;

const $ = (id) => document.getElementById(id);

/** Calls `onText(text, isSecret)` for a message and `onAct(name)` for photo, album, video or place. */
export class Composer {
  #field = $("text");
  #onText;
  #secret = false;

  constructor(onText, onAct) {
    this.#onText = onText;
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#fit());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("focus", () => this.#panel(false));
    $("more").addEventListener("click", () => this.#panel($("panel").hidden));
    $("snap").addEventListener("click", () => onAct("photo"));
    $("panel").addEventListener("click", (event) => {
      const act = event.target.closest("button")?.dataset.act;
      if (!act) return;
      this.#panel(false);
      $("more").focus({ preventScroll: true });
      onAct(act);
    });
    $("bar").addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || $("panel").hidden) return;
      this.#panel(false);
      $("more").focus();
    });
    $("hint-close").addEventListener("click", () => hide($("hint"), $("more")));
    window.addEventListener("resize", () => this.#fit());
  }

  /** The grey words in the empty field say what the bot's question takes. */
  prompt(ask) {
    this.#field.placeholder = HINTS[ask] ? t(HINTS[ask]) : t("write");
    this.#secret = ask === "secret";
    this.#field.classList.toggle("secret", this.#secret);
  }

  /** Puts words into the field for the person to send or change. */
  write(text) {
    this.#field.value = text;
    this.#fit();
    this.#field.focus();
  }

  /** The page's own advice above the bar; "" takes it away. */
  hint(text) {
    $("hint-text").textContent = text;
    $("hint").hidden = !text;
  }

  #key(event) {
    // While an input method is composing, Enter only confirms its characters.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#field.value.trim();
    if (!text) return;
    this.#field.value = "";
    this.#fit();
    this.#onText(text, this.#secret);
  }

  #fit() {
    const full = Boolean(this.#field.value.trim());
    $("more").hidden = full;
    if (full) $("send").hidden = false;
    else hide($("send"), $("more"));
    this.#field.style.height = "auto";
    const most = window.innerHeight * MOST_LINES_SHARE;
    const border = this.#field.offsetHeight - this.#field.clientHeight;
    this.#field.style.height = `${Math.min(this.#field.scrollHeight + border, most)}px`;
  }

  #panel(open) {
    $("panel").hidden = !open;
    $("more").setAttribute("aria-expanded", String(open));
    if (open) this.#field.blur();
  }
}
