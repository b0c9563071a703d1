// A few words that outlive the page. Without storage the next start asks again; nothing is lost.

import { MESSAGES, ORIGINALS } from "./store.js";

/** What was remembered under a name, or null. */
export function remembered(name) {
  try {
    return localStorage.getItem(`jingxiang-${name}`);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`jingxiang-${name}`, value);
  } catch {
    // A private window, or a full phone.
  }
}

/** Forgets everything that the page has kept in this browser, also what was not sent. */
export async function forgetAll() {
  try {
    localStorage.clear();
    await Promise.all([MESSAGES, ORIGINALS].map((name) => new Promise((done) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = request.onerror = request.onblocked = done;
    })));
  } catch {
    // Nothing was kept.
  }
}
