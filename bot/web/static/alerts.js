// What tells of a new message when nobody looks: a number in the title and on the icon, and a short sound.

import { remember, remembered } from "./memory.js";

const NOTES_HZ = [660, 880];
const NOTE_S = 0.16;
const LOUDNESS = 0.12;
const NIGHT = ["21:00", "07:00"];

/** Whether a clock such as "06:30" lies between two others, also past midnight. */
export function isBetween(clock, [from, until]) {
  return from <= until ? clock >= from && clock < until : clock >= from || clock < until;
}

export class Alerts {
  #title = document.title;
  #unread = 0;
  #night = NIGHT;
  #audio = null;

  constructor() {
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#count(0); });
    // A browser lets a page be heard only after it was touched.
    document.addEventListener("pointerdown", () => this.#wake(), { passive: true });
    document.addEventListener("keydown", () => this.#wake(), { passive: true });
  }

  get soundOn() {
    return remembered("sound") !== "off";
  }

  set soundOn(on) {
    remember("sound", on ? "on" : "off");
    if (on) this.#ring();
  }

  /** The page's own title, without a number. */
  title(text) {
    this.#title = text;
    this.#count(this.#unread);
  }

  /** From when until when the township wants quiet: two clocks. */
  quiet(night) {
    this.#night = night || NIGHT;
  }

  /** Something came; `asked`: the person is here and waits for it. */
  hear(asked) {
    if (document.hidden) this.#count(this.#unread + 1);
    else if (asked) return;
    const clock = new Date().toTimeString().slice(0, 5);
    if (this.soundOn && !isBetween(clock, this.#night)) this.#ring();
  }

  #count(unread) {
    this.#unread = unread;
    document.title = unread ? `(${unread}) ${this.#title}` : this.#title;
    const badge = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    badge?.catch(() => null);
  }

  #wake() {
    if (!this.soundOn) return;
    const Context = window.AudioContext || window.webkitAudioContext;
    const touched = navigator.userActivation?.hasBeenActive !== false;
    if (!this.#audio && Context && touched) this.#audio = new Context();
    if (this.#audio?.state === "suspended") this.#audio.resume().catch(() => null);
  }

  #ring() {
    this.#wake();
    const audio = this.#audio;
    if (audio?.state !== "running") return;
    NOTES_HZ.forEach((hertz, index) => {
      const at = audio.currentTime + index * NOTE_S;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(LOUDNESS, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + NOTE_S);
    });
  }
}
