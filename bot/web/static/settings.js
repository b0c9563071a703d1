// The person's own settings, kept in this browser: the size of the letters, the sound, whether it is told, signing out.

import { Refused, endSession } from "./api.js";
import { forgetAll, remember, remembered } from "./memory.js";
import { t } from "./texts.js";

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

/** The sheet of settings; `alerts` has the sound, `reminders` what comes while the page is closed, `onLetters()` hears of
 * another size. */
export class Settings {
  #box = $("settings");
  #reminders;

  constructor(alerts, reminders, onLetters) {
    this.#reminders = reminders;
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
    $("remind").addEventListener("change", () => this.#remind($("remind").checked));
    $("sign-out").addEventListener("click", () => this.#signOut());
    $("settings-close").addEventListener("click", () => this.#close());
    this.#box.addEventListener("click", (event) => { if (event.target === this.#box) this.#close(); });
  }

  open() {
    this.#showReminders();
    this.#asksToSignOut(false);
    if (this.#box.showModal) this.#box.showModal();
    else this.#box.setAttribute("open", "");
  }

  #showReminders(said = "") {
    const obstacle = this.#reminders.obstacle;
    $("remind").checked = this.#reminders.on;
    $("remind").disabled = Boolean(obstacle);
    $("remind-said").textContent = said || (obstacle ? t(obstacle) : "");
  }

  async #remind(on) {
    $("remind").disabled = true; // until the phone has asked and the server has answered
    $("remind-said").textContent = "";
    try {
      await this.#reminders.turn(on);
      this.#showReminders(on ? t("remindOn") : "");
    } catch (error) {
      const known = error instanceof Refused ? error.text : error.message.startsWith("remind") && t(error.message);
      this.#showReminders(known || t("remindLater"));
    }
  }

  #asksToSignOut(asks, said = "") {
    $("sign-out").dataset.sure = asks ? "1" : "";
    $("sign-out").textContent = t(asks ? "signOutSure" : "signOut");
    $("sign-out-said").textContent = said || (asks ? t("signOutAsk") : "");
  }

  /** The first press asks, the second signs out. */
  async #signOut() {
    if (!$("sign-out").dataset.sure) return this.#asksToSignOut(true);
    $("sign-out").disabled = true;
    try {
      await endSession();
      await forgetAll();
      location.replace("/");
    } catch {
      this.#asksToSignOut(true, t("remindLater"));
      $("sign-out").disabled = false;
    }
  }

  #close() {
    if (this.#box.close) this.#box.close();
    else this.#box.removeAttribute("open");
    $("more").focus();
  }
}
