// The conversation on the screen: order, time separators, scrolling, which question is open.

import { botMessage, isLasting, isMenu, make, ownMessage, showState } from "./bubble.js";
import { Focus, moved } from "./focus.js";
import { t, timeLabel } from "./texts.js";

const SEPARATOR_GAP_MS = 5 * 60 * 1000;
const NEAR_END_PX = 120;
const ABOVE_PX = 8;
const ONE_ANSWER_MS = 5000;
const TYPING_MS = 20000;
const HIDDEN = "••••••"; // what answers a secret question is not shown

const $ = (id) => document.getElementById(id);

function asksSomething(message) {
  return Boolean(message.choices?.length || (message.ask && message.ask !== "null"));
}

/** The time separator that stands above a message, or null. */
function timeOf(node) {
  const known = node.previousElementSibling;
  return known?.classList.contains("time") ? known : null;
}

/** Local previews of the files of an unsent message. */
function previews(files) {
  return (files || []).map(({ blob, name }) => {
    const url = URL.createObjectURL(blob);
    const kind = (blob.type || "").startsWith("video/") ? "video" : "image";
    return { kind, url, thumb: kind === "image" ? url : "", alt: "", name };
  });
}

function localText(item) {
  if (item.kind === "place") return t("myPlace", { metres: item.accuracy_m });
  if (item.kind === "start") return t("begin");
  return item.secret ? HIDDEN : item.text || "";
}

/** Entries are {id: number|null, clientId, from, atMs, unsent, question, lasting, menu, ask, under, node}. */
export class Timeline {
  #entries = [];
  #changedTo = 0;
  #actions;
  #onQuestion;
  #typingTimer = 0;
  #box = $("log");
  #stuck = true;
  #focus = new Focus(this.#box);

  /** `actions` serve the bubbles' buttons; `onQuestion(ask)` hears what is being asked now. */
  constructor(actions, onQuestion) {
    this.#actions = actions;
    this.#onQuestion = onQuestion;
    this.#box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    $("newest").addEventListener("click", () => {
      this.#box.focus({ preventScroll: true });
      this.toEnd();
    });
    const resized = new ResizeObserver(() => { if (this.#stuck) this.toEnd(); });
    resized.observe(this.#box);
    resized.observe($("messages"));
  }

  get isEmpty() {
    return this.#entries.length === 0;
  }

  /** The server's newest and oldest message ids shown, as strings, or null. */
  get newestId() {
    const newest = Math.max(this.#changedTo, ...this.#entries.map((entry) => entry.id ?? 0));
    return newest ? String(newest) : null;
  }

  get oldestId() {
    const first = this.#entries.find((entry) => entry.id !== null);
    return first ? String(first.id) : null;
  }

  /** Whether the last word is the person's own and the server has it. */
  get awaitsAnswer() {
    const last = this.#entries[this.#entries.length - 1];
    return last?.from === "me" && !last.unsent;
  }

  has(id) {
    return this.#entries.some((entry) => entry.id === Number(id));
  }

  /** Shows messages of the server, each once → those that were new. */
  take(messages, { quiet = false } = {}) {
    if (quiet) this.#box.setAttribute("aria-live", "off");
    const fresh = messages.filter((message) => this.#takeOne(message));
    if (fresh.length) this.#settle();
    if (fresh.length && !quiet && !this.#nearEnd()) this.#offerEnd("newest");
    if (quiet) setTimeout(() => this.#box.setAttribute("aria-live", "polite"), 500);
    return fresh;
  }

  /** Keeps what is being read in its place while older messages come in above. */
  takeOlder(messages) {
    const before = this.#box.scrollHeight - this.#box.scrollTop;
    this.#stuck = false;
    this.take(messages, { quiet: true });
    this.#box.scrollTop = this.#box.scrollHeight - before;
  }

  #takeOne(message) {
    if (message.changes) return this.#change(message);
    if (this.has(message.id)) return false;
    const id = Number(message.id);
    const own = message.from === "me";
    const local = own && message.client_id ? this.#byClientId(message.client_id) : null;
    if (!own) this.#unmark();
    if (local) {
      // Of several files only the good ones may have been sent.
      if (message.media.length !== local.node.querySelectorAll(".thumb").length) this.#redraw(local, message);
      this.#acknowledge(local, id, message.at_ms);
      return true;
    }
    const node = own ? ownMessage({ text: message.text, media: message.media }, this.#actions)
      : botMessage(message, this.#actions);
    if (own) showState(node, message.client_id, "sent", {}, this.#actions);
    this.#place({ id, clientId: message.client_id || null, from: message.from, atMs: message.at_ms, unsent: false,
      question: !own && asksSomething(message), lasting: isLasting(message), menu: isMenu(message),
      ask: message.ask, node });
    return true;
  }

  /** The bot has answered without changing the card that was pressed: it is as it was, and so it looks. */
  #unmark() {
    for (const entry of this.#entries) {
      if (entry.lasting) entry.node.querySelectorAll(".picked").forEach((node) => node.classList.remove("picked"));
    }
  }

  /** An earlier message gets new words and buttons where it stands; the press that led to it needs no bubble. */
  #change(message) {
    this.#changedTo = Math.max(this.#changedTo, Number(message.id));
    const entry = this.#entries.find((other) => other.id === Number(message.changes));
    if (!entry) return false;
    const node = botMessage({ ...message, id: message.changes }, this.#actions);
    entry.node.replaceWith(node);
    this.#focus.keep(node);
    Object.assign(entry, { question: asksSomething(message), lasting: isLasting(message), menu: isMenu(message), node });
    const last = this.#entries[this.#entries.length - 1];
    if (last.under === message.changes) this.#remove(last);
    return true;
  }

  /** Shows a message that the server does not have yet. */
  addLocal(item) {
    const own = { text: localText(item), media: previews(item.files), place: item.kind === "place" };
    const node = ownMessage(own, this.#actions);
    this.#place({ id: null, clientId: item.id, from: "me", atMs: item.created_ms, unsent: true, question: false,
      under: item.under, node });
    if (item.state === "failed") this.setState(item.id, "failed", item.error);
    else this.setState(item.id, "waiting", {});
    this.#settle();
  }

  setState(clientId, state, detail) {
    const entry = this.#byClientId(clientId);
    if (!entry) return;
    if (state === "gone") return this.#remove(entry);
    if (entry.id !== null) return;
    if (state === "sent") return this.#acknowledge(entry, null, detail.ack.at_ms);
    showState(entry.node, clientId, state, detail, this.#actions);
    const unsent = state !== "failed";
    if (unsent !== entry.unsent) this.#move(entry, { unsent, atMs: this.#endMs(entry) });
    if (this.#stuck) this.toEnd();
  }

  #redraw(entry, message) {
    const node = ownMessage({ text: message.text, media: message.media }, this.#actions);
    entry.node.replaceWith(node);
    entry.node = node;
  }

  #acknowledge(entry, id, atMs) {
    showState(entry.node, entry.clientId, "sent", {}, this.#actions);
    this.#move(entry, { id, atMs, unsent: false });
  }

  #move(entry, changes) {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#place(Object.assign(entry, changes));
    this.#settle();
  }

  /** The time of the server's newest message: a refused one stays beside it even if the phone's clock is wrong. */
  #endMs(entry) {
    const known = this.#entries.filter((other) => other.id !== null);
    return known.length ? known[known.length - 1].atMs + 1 : entry.atMs;
  }

  #remove(entry) {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    timeOf(entry.node)?.remove();
    entry.node.remove();
    this.#settle();
  }

  #byClientId(clientId) {
    return this.#entries.find((entry) => entry.clientId === clientId);
  }

  /** Puts an entry where it belongs: by the server's id; what is unsent stays last. */
  #place(entry) {
    let at = this.#entries.length;
    while (at > 0 && this.#isAfter(this.#entries[at - 1], entry)) at -= 1;
    const next = this.#entries[at];
    this.#entries.splice(at, 0, entry);
    const before = next ? timeOf(next.node) || next.node : null;
    if (entry.node.parentNode && entry.node.nextElementSibling === before) return;
    timeOf(entry.node)?.remove();
    moved(entry.node, () => $("messages").insertBefore(entry.node, before));
  }

  #isAfter(other, entry) {
    if (entry.unsent) return false;
    if (other.unsent) return true;
    if (other.id !== null && entry.id !== null) return other.id > entry.id;
    return other.from === "bot" && entry.from === "me" ? other.atMs >= entry.atMs : other.atMs > entry.atMs;
  }

  #settle() {
    $("welcome").hidden = !this.isEmpty;
    this.#separate();
    this.#mark();
    this.#focus.keep(this.#entries[this.#entries.length - 1]?.node);
    if (this.#stuck) this.#follow();
  }

  /** Goes to the end, but not past the beginning of what the bot has just answered: that is read first. */
  #follow() {
    this.toEnd();
    let at = this.#entries.length - 1;
    if (at < 0 || this.#entries[at].from === "me") return;
    while (at > 0 && this.#goesOn(this.#entries[at - 1], this.#entries[at])) at -= 1;
    const answer = this.#entries[at];
    const above = this.#box.getBoundingClientRect().top + ABOVE_PX - answer.node.getBoundingClientRect().top;
    if (above <= 0) return;
    this.#box.scrollTop -= above;
    this.#stuck = this.#nearEnd();
    if (!this.#stuck) this.#offerEnd("below");
  }

  #goesOn(before, entry) {
    return before.from === "bot" && entry.atMs - before.atMs < ONE_ANSWER_MS;
  }

  #offerEnd(key) {
    if (!$("newest").hidden) return;
    $("newest").hidden = false;
    $("newest").querySelector("span").textContent = t(key);
  }

  #separate() {
    const now = Date.now();
    let last = -Infinity;
    for (const entry of this.#entries) {
      const wanted = entry.atMs - last >= SEPARATOR_GAP_MS ? timeLabel(entry.atMs, now) : "";
      last = entry.atMs;
      const existing = timeOf(entry.node);
      if (!wanted) existing?.remove();
      else if (!existing) entry.node.before(make("p", "time", wanted));
      else if (existing.textContent !== wanted) existing.textContent = wanted;
    }
  }

  /**
   * Open is the last question, until the person spoke and the bot answered after it. Commands are open as long,
   * each message of them, and neither closes the other: news may come while a form is being filled in.
   */
  #mark() {
    let asked = null;
    let menu = null;
    let botAfter = false;
    let spent = false;
    for (let at = this.#entries.length - 1; at >= 0; at -= 1) {
      const entry = this.#entries[at];
      const open = entry.question && !spent && (entry.lasting || !asked);
      entry.node.classList.toggle("open", open);
      if (open && !entry.lasting) asked = entry;
      if (entry.menu && !menu) menu = entry;
      entry.node.classList.toggle("newest", entry === menu);
      if (entry.from === "bot") botAfter = true;
      else if (botAfter) spent = true;
    }
    this.#onQuestion(asked ? asked.ask : null);
  }

  typing(shown) {
    clearTimeout(this.#typingTimer);
    $("typing").hidden = !shown;
    if (!shown) return;
    this.#typingTimer = setTimeout(() => this.typing(false), TYPING_MS);
    if (this.#stuck) this.toEnd();
  }

  /** Loads the thumbnails again that failed while there was no network. */
  retryPictures() {
    for (const image of this.#box.querySelectorAll(".broken img")) image.src = image.src;
  }

  toEnd() {
    this.#stuck = true;
    this.#box.scrollTop = this.#box.scrollHeight;
    $("newest").hidden = true;
  }

  #nearEnd() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END_PX;
  }

  #scrolled() {
    this.#stuck = this.#nearEnd();
    if (this.#stuck) $("newest").hidden = true;
  }
}
