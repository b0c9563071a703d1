// Tells the server that somebody looks at this page: what quiet hours would hold is told them at once.
// A page that lies in another tab tells nothing.

import { tellPresence } from "./api.js";

const EVERY_MS = 120000; // the server takes it for five minutes

export function tellWhoLooks() {
  if (!document.hidden) tellPresence().catch(() => null);
}

export function watchWhoLooks() {
  document.addEventListener("visibilitychange", tellWhoLooks);
  setInterval(tellWhoLooks, EVERY_MS);
}
