// Originals of photos that went out smaller. They follow when nothing else is to be sent and the line costs nobody
// anything, and give way at once to whatever the person writes. Nobody waits for them, so nothing is shown of it.

import { Refused, readWanted, upload } from "./api.js";
import { readable } from "./outbox.js";

const FREE = ["wifi", "ethernet"];
const UNTOLD = ["", "unknown", "other"];
const MOST_KEPT = 30;
const KEPT_MS = 31 * 86400000; // no township takes them any longer
const CALM_MS = 5000;
const FIRST_WAIT_MS = 60000;
const LONGEST_WAIT_MS = 3600000;
const NOT_NOW = [401, 403, 422, 425];
const LINE = navigator.connection;

/**
 * Whether megabytes cost nobody anything. Where the browser does not tell the kind of line, a phone may be on one that
 * is paid by the megabyte, so nothing is sent; a computer with a mouse hangs on the line of its office.
 */
function isFree() {
  if (LINE?.saveData) return false;
  const type = LINE?.type || "";
  return UNTOLD.includes(type) ? !matchMedia("(pointer: coarse)").matches : FREE.includes(type);
}

/** Runs `work` unless another tab of this page is at it. */
function alone(work) {
  return navigator.locks ? navigator.locks.request("jingxiang-originals", { ifAvailable: true }, (lock) => lock && work())
    : work();
}

/** The queue; `isIdle()` tells whether no message waits to be sent. */
export class Originals {
  #store;
  #isIdle = async () => true;
  #wanted = false;
  #town = "";
  #lastSeq = 0;
  #failures = 0;
  #timer = 0;
  #running = false;
  #stop = null;
  #tabs = "BroadcastChannel" in window ? new BroadcastChannel("jingxiang-outbox") : null;

  constructor(store) {
    this.#store = store;
    LINE?.addEventListener?.("change", () => (isFree() ? this.wake() : this.#halt()));
    if (this.#tabs) this.#tabs.onmessage = () => this.#later(FIRST_WAIT_MS);
  }

  async open() {
    await this.#store.open();
    for (const { seq, kept_ms } of await this.#store.all()) {
      this.#lastSeq = seq;
      if (Date.now() - kept_ms > KEPT_MS) await this.#store.remove(seq);
    }
  }

  /** Whether the township wants originals at all. */
  get wanted() {
    return this.#wanted;
  }

  /** From now on they may be sent, those for the township of that code ("": the only one). */
  start(wanted, town, isIdle) {
    this.#wanted = wanted;
    this.#town = town;
    this.#isIdle = isIdle;
    this.wake();
  }

  /** Keeps the originals of a message's files that went out smaller; of too many the oldest go. */
  async keep(files, town) {
    for (const { original, media } of files) {
      if (!original || !media) continue;
      this.#lastSeq = Math.max(this.#lastSeq + 1, Date.now() * 1000);
      await this.#store.put({ seq: this.#lastSeq, media, blob: original, town, kept_ms: Date.now(), not_before_ms: 0 });
    }
    const all = await this.#store.all();
    for (const { seq } of all.slice(0, Math.max(0, all.length - MOST_KEPT))) await this.#store.remove(seq);
  }

  /** A message is to be sent, here: what is on its way stops, in every tab. */
  rest() {
    this.#halt();
    this.#tabs?.postMessage("rest");
  }

  /** Goes on, when it is calm. */
  wake() {
    this.#later(CALM_MS);
  }

  #halt() {
    clearTimeout(this.#timer);
    this.#stop?.abort();
  }

  #later(waitMs) {
    this.#halt();
    if (this.#wanted) this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      await alone(() => this.#sendAll());
    } finally {
      this.#running = false;
    }
  }

  async #sendAll() {
    const stop = new AbortController();
    this.#stop = stop;
    while (!stop.signal.aborted && isFree() && (await this.#isIdle())) {
      const all = (await this.#store.all()).filter((item) => !this.#town || !item.town || item.town === this.#town);
      const item = all.find((one) => one.not_before_ms <= Date.now());
      if (!item) {
        if (all.length) this.#later(FIRST_WAIT_MS);
        return;
      }
      try {
        if (await this.#isDone(item, stop.signal)) await this.#store.remove(item.seq);
        else await this.#putOff(item);
        this.#failures = 0;
      } catch (error) {
        if (stop.signal.aborted) return;
        this.#failures += 1;
        this.#later(Math.max(error.afterMs || 0, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures)));
      }
    }
  }

  /** Sends one → whether it need not be kept any longer: it has arrived, or is not wanted, or can't be read. */
  async #isDone({ media, blob }, signal) {
    try {
      const { wanted } = await readWanted(media);
      if (wanted !== "yes") return wanted === "no";
      if (await readable(blob)) await upload(blob, "", () => null, { of: media, signal });
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return !NOT_NOW.includes(error.status);
    }
  }

  #putOff(item) {
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, Date.now() - item.kept_ms));
    return this.#store.put({ ...item, not_before_ms: Date.now() + waitMs });
  }
}
