// «有消息时提醒我»: the browser's own notifications while this page is closed (Web Push). Kept for each township.

import { Refused, startPush, stopPush } from "./api.js";
import { remember, remembered } from "./memory.js";

const WORKER_MS = 10000;
const AGENT = navigator.userAgent;
const IN_WECHAT = /MicroMessenger/i.test(AGENT);
const APPLE = /iPhone|iPad|iPod/.test(AGENT);

function bytes(key) {
  const said = key.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(said), (letter) => letter.charCodeAt(0));
}

function isOf(subscription, key) {
  const trusted = subscription.options?.applicationServerKey;
  if (!trusted) return true;
  const [one, other] = [new Uint8Array(trusted), bytes(key)];
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

/** The service worker once it is active. Throws an Error "remindNotHere" where there is none. */
async function worker() {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("remindNotHere")), WORKER_MS));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

function kept() {
  return new Set((remembered("remind") || "").split(" ").filter(Boolean));
}

/** Texts are keys of `texts.js`, or words of the server. */
export class Reminders {
  #key = "";
  #town = "-";

  /** Whether this browser is told of what comes while the page is closed. */
  on = false;

  /** Why it can't be: the key of a text; "" where it can. */
  get obstacle() {
    if (IN_WECHAT) return "remindNotInWeChat";
    if (!this.#key || !window.isSecureContext) return "remindNotHere";
    if (!navigator.serviceWorker || !window.PushManager || !window.Notification) {
      return APPLE && !navigator.standalone ? "remindApple" : "remindNotHere";
    }
    return Notification.permission === "denied" ? "remindRefused" : "";
  }

  /** The session of a township is open: goes on as it was left, and renews what a browser or the server has lost. */
  async begin(push, code) {
    this.#key = push?.key || "";
    this.#town = code || "-";
    const wanted = kept().has(this.#town);
    if (!this.#key || (!wanted && !push.on)) return;
    if (!wanted || this.obstacle || Notification.permission !== "granted") {
      await this.#stop().catch(() => null);
      return;
    }
    this.on = true;
    await this.#subscribe(push.on).catch((error) => {
      this.on = false;
      if (error instanceof Refused) this.#stop().catch(() => null);
    });
  }

  /** Switches it on or off. Throws an Error with the key of a text, or Refused, when that was not possible. */
  async turn(on) {
    if (!on) return this.#stop();
    if ((await Notification.requestPermission()) !== "granted") throw new Error("remindRefused");
    await this.#subscribe(false);
    remember("remind", [...kept().add(this.#town)].join(" "));
    this.on = true;
  }

  async #subscribe(known) {
    const { pushManager } = await worker();
    let found = await pushManager.getSubscription();
    if (found && !isOf(found, this.#key)) {
      await found.unsubscribe();
      found = null;
    }
    if (found && known) return;
    try {
      found ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(this.#key) });
    } catch {
      throw new Error(Notification.permission === "denied" ? "remindRefused" : "remindNoService");
    }
    await startPush(found.toJSON());
  }

  /** The server forgets this browser; the browser forgets us when no other township may tell it anything. */
  async #stop() {
    const others = kept();
    others.delete(this.#town);
    this.on = false;
    remember("remind", [...others].join(" "));
    await stopPush();
    if (others.size || !navigator.serviceWorker) return;
    const registration = await navigator.serviceWorker.getRegistration();
    await (await registration?.pushManager?.getSubscription())?.unsubscribe();
  }
}
