// What is still to be sent, in IndexedDB; in memory where the browser gives no room.

export const MESSAGES = "jingxiang";
export const ORIGINALS = "jingxiang-originals";
const TABLE = "outbox";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "seq" });
  return done(request);
}

/** A small ordered table: rows are objects with a number `seq` as key. */
export class Store {
  #name;
  #database = null;
  #memory = new Map();

  /** `name`: MESSAGES with their photos, or ORIGINALS. */
  constructor(name) {
    this.#name = name;
  }

  /** Opens the table; without IndexedDB everything lives until the page closes. */
  async open() {
    try {
      this.#database = await open(this.#name);
      this.#database.onversionchange = () => this.#database.close();
    } catch {
      this.#database = null;
    }
  }

  /** Writes a row → whether it will survive the page being closed. */
  async put(row) {
    try {
      if (!this.#database) throw new Error("no database");
      const change = this.#database.transaction(TABLE, "readwrite");
      change.objectStore(TABLE).put(row);
      await new Promise((resolve, reject) => {
        change.oncomplete = resolve;
        change.onabort = () => reject(change.error);
      });
      this.#memory.delete(row.seq);
      return true;
    } catch {
      this.#memory.set(row.seq, row);
      return false;
    }
  }

  async remove(seq) {
    this.#memory.delete(seq);
    await this.#in("readwrite", (table) => table.delete(seq));
  }

  /** What `act(table)` gives; null without a database, or while it is being deleted. */
  async #in(mode, act) {
    try {
      return await done(act(this.#database.transaction(TABLE, mode).objectStore(TABLE)));
    } catch {
      return null;
    }
  }

  /** All rows, oldest first. */
  async all() {
    const rows = (await this.#in("readonly", (table) => table.getAll())) || [];
    const kept = rows.filter((row) => !this.#memory.has(row.seq));
    return [...kept, ...this.#memory.values()].sort((a, b) => a.seq - b.seq);
  }
}
