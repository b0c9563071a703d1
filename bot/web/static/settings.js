// The person's own settings, kept in this browser: the size of the letters, the sound.

import { remember, remembered } from "./memory.js";

const LETTERS = ["normal", "large", "larger"];

const $ = (id) => document.getElementById(id);

function wear(letters) {
  document.documentElement.dataset.letters = letters;
  for (const button of $("letters").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.letters === letters));
  }
}

function lettersKept() {
  const kept = remembered("letters");
  return LETTERS.includes(kept) ? kept : LETTERS[0];
}

/** The sheet of settings; `alerts` has the sound, `onLetters()` hears of another size. */
export class Settings {
  #box = $("settings");

  constructor(alerts, onLetters) {
    wear(lettersKept());
    $("letters").addEventListener("click", (event) => {
      const letters = event.target.closest("button")?.dataset.letters;
      if (!letters) return;
      remember("letters", letters);
      wear(letters);
      onLetters();
    });
    $("sound").checked = alerts.soundOn;
    $("sound").addEventListener("change", () => { alerts.soundOn = $("sound").checked; });
    $("settings-close").addEventListener("click", () => this.#close());
    this.#box.addEventListener("click", (event) => { if (event.target === this.#box) this.#close(); });
  }

  open() {
    if (this.#box.showModal) this.#box.showModal();
    else this.#box.setAttribute("open", "");
  }

  #close() {
    if (this.#box.close) this.#box.close();
    else this.#box.removeAttribute("open");
    $("more").focus();
  }
}
