// Server-Sent Events over fetch: unlike EventSource it can resume after a reload (Last-Event-ID)
// and notices a dead line, because the server's keepalive comments are visible here.

import { townshipHeader } from "./api.js";

const SILENCE_MS = 50000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const SOON_MS = 1500;

/** Splits SSE text into events; `onEvent(name, data, id)` gets each one, `onRetry(ms)` when the server says to come again. */
export class EventParser {
  #rest = "";
  #event = { name: "message", data: [], id: null };
  #onEvent;
  #onRetry;

  constructor(onEvent, onRetry = () => null) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line.replace(/\r$/, ""));
  }

  #line(line) {
    if (line === "") {
      const { name, data, id } = this.#event;
      this.#event = { name: "message", data: [], id: null };
      if (data.length) this.#onEvent(name, data.join("\n"), id);
      return;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") this.#event.name = value;
    else if (field === "data") this.#event.data.push(value);
    else if (field === "id") this.#event.id = value;
    else if (field === "retry") this.#onRetry(Number(value));
  }
}

/**
 * A lasting stream; where the server has none for us, it says what has come and after how long to ask again.
 * Calls `onMessage(message)`, `onTyping()`, `onUp(again)`, `onDown(status)`.
 */
export class EventStream {
  #on;
  #lastId = null;
  #stop = null;
  #failures = 0;
  #timer = 0;
  #wasUp = false;
  #pollMs = 0;
  #soon = false;

  constructor(on) {
    this.#on = on;
  }

  /** (Re)connects at once, after message `lastId` when given. */
  connect(lastId = null) {
    if (lastId) this.#lastId = lastId;
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = new AbortController();
    this.#run(this.#stop);
  }

  /** Something was said that will be answered: where there is no lasting stream, ask at once, and soon again. */
  hurry() {
    if (!this.#pollMs) return;
    this.#soon = true;
    this.connect();
  }

  /** Lets go of the line until the next `connect`. */
  rest() {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
  }

  async #run(stop) {
    let status = 0;
    try {
      status = await this.#read(stop);
    } catch {
      status = 0;
      if (stop === this.#stop) this.#pollMs = 0;
    }
    if (stop !== this.#stop) return;
    if (this.#pollMs) {
      this.#timer = setTimeout(() => this.connect(), this.#soon ? SOON_MS : this.#pollMs);
      this.#soon = false;
      return;
    }
    this.#on.onDown(status);
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect(), waitMs * (0.75 + Math.random() / 2));
  }

  /** Reads until the line ends → the HTTP status when it was no event stream, else 0. */
  async #read(stop) {
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => stop.abort(), SILENCE_MS);
    };
    try {
      alive();
      const headers = { Accept: "text/event-stream", ...townshipHeader() };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const response = await fetch("/api/events", { headers, cache: "no-store", redirect: "error", signal: stop.signal });
      const type = response.headers.get("Content-Type") || "";
      if (response.status !== 200 || !type.startsWith("text/event-stream")) {
        this.#pollMs = 0;
        return response.status;
      }
      this.#failures = 0;
      if (!this.#pollMs) this.#on.onUp(this.#wasUp);
      this.#wasUp = true;
      this.#pollMs = 0;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new EventParser((name, data, id) => this.#take(name, data, id), (ms) => { this.#pollMs = ms; });
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 0;
        alive();
        parser.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #take(name, data, id) {
    if (id) this.#lastId = id;
    if (name === "typing") this.#on.onTyping();
    else if (name === "message") this.#on.onMessage(JSON.parse(data));
  }
}
