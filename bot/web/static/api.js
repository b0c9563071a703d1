// HTTP to our own server. Every failure becomes one of two kinds: try again, or tell the person.

const ANSWER_TIMEOUT_MS = 20000;
const UPLOAD_STALL_MS = 45000;
const HEADERS = { "X-Jingxiang": "1" };

let township = "";
let onAstray = () => null;
let onEnded = () => null;

/** From now on every request is about this township ("": the only one), whatever other pages choose. */
export function setTownship(code) {
  township = code;
}

/** Calls `hear()` when the server does not know the township of a request. */
export function whenAstray(hear) {
  onAstray = hear;
}

/** Calls `hear()` when this browser's session is over: what is on the page was somebody's who is no longer here. */
export function whenEnded(hear) {
  onEnded = hear;
}

/** What tells the server the township. */
export function townshipHeader() {
  return township ? { "X-Jingxiang-Township": township } : {};
}

/** The address of a picture, which has no headers. */
export function inTownship(url) {
  return township && url.startsWith("/media/") ? `${url}${url.includes("?") ? "&" : "?"}t=${township}` : url;
}

/** The server said no for good (4xx): `text` is its own localised reason, or "". */
export class Refused extends Error {
  constructor(status, code, text) {
    super(code || String(status));
    this.status = status;
    this.code = code || "";
    this.text = text || "";
  }
}

/** No answer, or one that asks for patience; `busy` tells a working server from a dead line. */
export class TryLater extends Error {
  constructor({ busy = false, afterMs = null, text = "" } = {}) {
    super(busy ? "busy" : "unreachable");
    this.busy = busy;
    this.afterMs = afterMs;
    this.text = text;
  }
}

/** The server has many newcomers, and wants some work of this browser first. */
class WorkFirst extends Error {
  constructor(challenge) {
    super("work_first");
    this.challenge = challenge;
  }
}

/** Sends with `send(headers)`, and once more with the work that the server may ask for. */
async function working(send) {
  try {
    return await send({});
  } catch (error) {
    if (!(error instanceof WorkFirst)) throw error;
    const { work } = await import("./work.js");
    const done = await work(error.challenge);
    return send({ "X-Jingxiang-Work": done }).catch((again) => {
      throw again instanceof WorkFirst ? new TryLater({ busy: true }) : again;
    });
  }
}

function judge(status, expected, body, retryAfter) {
  if (status === expected && body) return body;
  if (status === 429 && body?.work) throw new WorkFirst(body.work);
  if (status === 409) {
    onAstray();
    throw new TryLater({ busy: true, text: body?.text });
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    throw new Refused(status, body?.error, body?.text);
  }
  // Anything else, also a stray 200 from a hotel-style log-in page, is not our acknowledgement.
  const seconds = Number.parseInt(retryAfter || "", 10);
  throw new TryLater({
    busy: status >= 400,
    afterMs: Number.isFinite(seconds) ? seconds * 1000 : status === 429 ? 5000 : null,
    text: body?.text,
  });
}

async function request(path, expected, init = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER_TIMEOUT_MS);
  let response;
  let body;
  try {
    response = await fetch(path, { ...init, redirect: "error", cache: "no-store", signal: stop.signal });
    body = await response.json().catch(() => null);
  } catch {
    throw new TryLater();
  } finally {
    clearTimeout(timer);
  }
  return judge(response.status, expected, body, response.headers.get("Retry-After"));
}

function post(path, expected, value, more = {}) {
  const headers = { ...HEADERS, ...townshipHeader(), ...more, "Content-Type": "application/json" };
  return request(path, expected, { method: "POST", headers, body: JSON.stringify(value) });
}

/**
 * Makes the cookie when missing, for the township of `code` if there is one → {language, township, code, several}.
 * Which township must be known first, or is asked for (`choose`) → {language, townships: [{code, name, county}]}.
 */
export async function openSession(code = township, { choose = false } = {}) {
  const session = await post("/api/session", 200, choose ? { choose } : code ? { township: code } : {});
  if (!session.ended) return session;
  onEnded();
  throw new TryLater({ busy: true }); // nothing that is still to be sent may go out as somebody else's
}

/** Signs this browser out. */
export function endSession() {
  return post("/api/session/end", 200, {});
}

/** One message; resolves only when the server has stored it → {id, at_ms}. */
export function sendMessage(message) {
  return working((headers) => post("/api/messages", 202, message, headers));
}

/** Somebody looks at the page. */
export function tellPresence() {
  return post("/api/presence", 200, {});
}

/** The browser's subscription is to be told when something waits. */
export function startPush(subscription) {
  return post("/api/push", 200, subscription);
}

/** This browser is not to be told any more. */
export function stopPush() {
  return post("/api/push/off", 200, {});
}

/** Messages older than `before` (a message id, or null for the newest) → {messages, more}. */
export function readHistory(before, limit) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before) query.set("before", before);
  return request(`/api/history?${query}`, 200, { headers: townshipHeader() });
}

/** What WeChat's interfaces want to know of the page with that address, and `sdk`, where their script lies. */
export function readWeChat(url) {
  return request(`/api/wechat/js?${new URLSearchParams({ url })}`, 200);
}

/** Whether the original of a photo that was sent smaller is wanted → {wanted: "yes" | "later" | "no"}. */
export function readWanted(media) {
  return request(`/api/media?${new URLSearchParams({ of: media })}`, 200, { headers: townshipHeader() });
}

/** What there is beside the picture at that address → {original_bytes}. */
export function readAbout(url) {
  return request(`/api${url.split("?")[0]}`, 200, { headers: townshipHeader() });
}

/**
 * One file's bytes → its media id. `onProgress` gets a share from 0 to 1; `of`: the photo that this is the original of;
 * an aborted `signal` ends it.
 */
export function upload(blob, name, onProgress, { of = "", signal = null } = {}) {
  return working((headers) => uploadOnce(blob, { name, of }, onProgress, headers, signal));
}

function uploadOnce(blob, { name, of }, onProgress, headers, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), UPLOAD_STALL_MS);
    };
    const fail = () => reject(new TryLater());
    xhr.open("POST", `/api/media?${new URLSearchParams(of ? { of } : { name })}`);
    const every = { ...HEADERS, ...townshipHeader(), ...headers };
    for (const [name, value] of Object.entries(every)) xhr.setRequestHeader(name, value);
    xhr.setRequestHeader("Content-Type", blob.type || "application/octet-stream");
    xhr.responseType = "json";
    xhr.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    xhr.onerror = fail;
    xhr.onabort = fail;
    signal?.addEventListener("abort", () => xhr.abort());
    if (signal?.aborted) return fail();
    xhr.onloadend = () => clearTimeout(timer);
    xhr.onload = () => {
      try {
        resolve(judge(xhr.status, 201, xhr.response, xhr.getResponseHeader("Retry-After")).id);
      } catch (error) {
        reject(error);
      }
    };
    alive();
    return xhr.send(blob);
  });
}
