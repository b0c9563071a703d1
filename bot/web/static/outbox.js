// What the person said and the server has not yet acknowledged: kept, in order, sent again.

import { Refused, TryLater, openSession, sendMessage, upload } from "./api.js";
import { t } from "./texts.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60000;
export const CONSENT_FIRST = "consent_first";
const NOT_THE_FILE = [401, 403];
const FIELDS = ["id", "kind", "text", "data", "lat", "lng", "accuracy_m", "payload", "under", "secret"];

function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Runs `work` while no other tab of this page sends. */
function alone(work) {
  return navigator.locks ? navigator.locks.request("jingxiang-outbox", work) : work();
}

/** Whether the phone still has the file. */
export async function readable(blob) {
  try {
    await new Response(blob.slice(0, 1)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/**
 * The queue. `tell(id, state, detail)` hears every change of a message:
 * waiting | sending {progress} | sent {ack} | failed {text, others} | gone.
 */
export class Outbox {
  #store;
  #originals;
  #tell;
  #lastSeq = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #timer = 0;
  #running = false;
  #again = false;
  #open = false;
  #town = "";
  #adding = Promise.resolve();

  /** `originals` are kept of photos that go out smaller, and give way to what is sent here. */
  constructor(store, originals, tell) {
    this.#store = store;
    this.#originals = originals;
    this.#tell = tell;
  }

  /** Opens the store → what an earlier visit left unsent for this township, oldest first. */
  async open() {
    await this.#store.open();
    const items = await this.#store.all();
    if (items.length) this.#lastSeq = items[items.length - 1].seq;
    return items.filter((item) => this.#isHere(item));
  }

  /** What is written from now on is for the township of that code, and only that is sent; "": there is but one. */
  use(town) {
    this.#town = town;
  }

  /** What was written for a township that does not exist is for this one. */
  async adopt(town) {
    for (const item of await this.#store.all()) {
      if (item.town === town) await this.#store.put({ ...item, town: this.#town });
    }
  }

  #isHere(item) {
    return !this.#town || !item.town || item.town === this.#town;
  }

  /** Keeps a message → [item, whether it survives the page being closed]. One at a time, to keep the order. */
  add(draft) {
    this.#originals.rest();
    const item = { ...draft, town: this.#town, id: uuid(), seq: this.#nextSeq(), created_ms: Date.now(), state: "queued" };
    const added = this.#adding.then(async () => [item, await this.#store.put(item)]);
    this.#adding = added;
    return added;
  }

  #nextSeq() {
    // The random part keeps two tabs from choosing the same key within a millisecond.
    const fresh = Date.now() * 1000 + Math.floor(Math.random() * 1000);
    this.#lastSeq = Math.max(this.#lastSeq + 1, fresh);
    return this.#lastSeq;
  }

  /** Whether nothing waits to be sent for the township of this page. */
  async isIdle() {
    return !this.#running && !(await this.#next());
  }

  async #next() {
    return (await this.#store.all()).find((row) => row.state !== "failed" && this.#isHere(row));
  }

  get isOpen() {
    return this.#open;
  }

  /** Allows sending (the session exists). */
  start() {
    this.#open = true;
    this.wake();
  }

  /** Sends now, unless the server asked for a pause. */
  wake() {
    if (!this.#open) return;
    clearTimeout(this.#timer);
    const pauseMs = this.#notBeforeMs - Date.now();
    if (pauseMs > 0) this.#timer = setTimeout(() => this.wake(), pauseMs);
    else this.#run();
  }

  /** The server has these messages already: their acknowledgement was lost on the way. */
  async forget(ids) {
    const items = (await this.#store.all()).filter((item) => ids.includes(item.id));
    for (const item of items) await this.#store.remove(item.seq);
  }

  /** Puts a refused message at the end of the queue; `without` drops the files that were refused. */
  async resend(id, { without = false } = {}) {
    const item = await this.#find(id);
    if (!item) return;
    await this.#store.remove(item.seq);
    let files = item.files;
    // A full resend uploads again: the refusal may have been about a copy the server no longer has.
    if (files) files = without ? files.filter((file) => !file.refused) : files.map(({ original, blob, name }) => ({ blob: original || blob, name }));
    await this.#store.put({ ...item, files, error: null, state: "queued", seq: this.#nextSeq() });
    this.#tell(id, "sending", {});
    this.wake();
  }

  /** Sends what had to wait until the person has agreed to what is kept. */
  async resendHeld() {
    const held = (await this.#store.all()).filter((item) => item.error?.code === CONSENT_FIRST && this.#isHere(item));
    for (const item of held) await this.resend(item.id);
  }

  async drop(id) {
    await this.forget([id]);
    this.#tell(id, "gone", {});
  }

  async #find(id) {
    return (await this.#store.all()).find((item) => item.id === id);
  }

  async #run() {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      do {
        this.#again = false;
        await alone(() => this.#sendAll());
      } while (this.#again);
    } finally {
      this.#running = false;
    }
    if (!(await this.#next())) this.#originals.wake();
  }

  async #sendAll() {
    for (;;) {
      const item = await this.#next();
      if (!item) return;
      try {
        this.#tell(item.id, "sending", {});
        const ack = await this.#sendOne(item);
        await this.#originals.keep(item.files || [], item.town);
        await this.#store.remove(item.seq);
        this.#failures = 0;
        this.#tell(item.id, "sent", { ack });
      } catch (error) {
        if (!(error instanceof Refused)) return this.#later(error);
        await this.#refuse(item, error);
      }
    }
  }

  async #refuse(item, error) {
    const text = error.text || t("refused");
    const others = (item.files || []).filter((file) => !file.refused).length;
    const partly = item.files && others < item.files.length ? others : 0;
    const failed = { ...item, state: "failed", error: { text, others: partly, code: error.code } };
    await this.#store.put(failed);
    this.#tell(item.id, "failed", failed.error);
  }

  async #later(error) {
    const known = error instanceof TryLater ? error : new TryLater({ busy: true });
    const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    const waitMs = known.afterMs ?? backoff * (0.75 + Math.random() / 2);
    this.#failures += 1;
    if (known.afterMs) this.#notBeforeMs = Date.now() + known.afterMs;
    this.#timer = setTimeout(() => this.wake(), waitMs);
    for (const item of await this.#store.all()) {
      if (item.state !== "failed" && this.#isHere(item)) this.#tell(item.id, "waiting", { busy: known.busy, text: known.text });
    }
  }

  async #sendOne(item) {
    try {
      return await this.#deliver(item);
    } catch (error) {
      if (!NOT_THE_FILE.includes(error.status)) throw error;
      await openSession();
      return this.#deliver(item);
    }
  }

  async #deliver(item) {
    const files = item.files || [];
    for (const [index, file] of files.entries()) {
      if (!file.media) await this.#uploadOne(item, file, index, files.length);
    }
    const message = {};
    for (const name of FIELDS) if (item[name] !== undefined) message[name] = item[name];
    if (files.length) message.media = files.map((file) => file.media);
    return sendMessage(message);
  }

  async #uploadOne(item, file, index, count) {
    try {
      if (!(await readable(file.blob))) throw new Refused(0, "file_gone", t("fileGone"));
      if (!file.reduced) {
        const { reduced } = await import("./reduce.js");
        const small = await reduced(file.blob);
        if (small !== file.blob && this.#originals.wanted) file.original = file.blob;
        Object.assign(file, { blob: small, reduced: true });
      }
      const report = (share) => this.#tell(item.id, "sending", { progress: (index + share) / count });
      file.media = await upload(file.blob, file.name, report);
    } catch (error) {
      if (error instanceof Refused && !NOT_THE_FILE.includes(error.status) && error.code !== CONSENT_FIRST) file.refused = true;
      throw error;
    }
    await this.#store.put(item);
  }
}
