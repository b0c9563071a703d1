// Puts the page together: session, history, events, outbox, and what the buttons do.

import { Alerts } from "./alerts.js";
import { Refused, inTownship, openSession, readHistory, whenAstray, whenEnded } from "./api.js";
import { Camera, sift } from "./camera.js";
import { Composer } from "./composer.js";
import { EventStream } from "./events.js";
import { forgetAll, remember, remembered } from "./memory.js";
import { Originals } from "./originals.js";
import { CONSENT_FIRST, Outbox } from "./outbox.js";
import { locate } from "./place.js";
import { tellWhoLooks, watchWhoLooks } from "./presence.js";
import { Reminders } from "./reminders.js";
import { Settings } from "./settings.js";
import { MESSAGES, ORIGINALS, Store } from "./store.js";
import { setLanguage, t } from "./texts.js";
import { Timeline } from "./timeline.js";
import { Towns } from "./towns.js";
import { Viewer } from "./viewer.js";
import { prepareWeChat } from "./wechat.js";

const FIRST_PAGE = 30;
const OLDER_PAGE = 50;
const MOST_PAGES_BACK = 20;
const NO_ANSWER_MS = 20000;
const AWAY_MS = 30000;
const DOUBLE_TAP_MS = 1500;
const LONGEST_WAIT_MS = 30000;
const NEAR_TOP_PX = 160;

const $ = (id) => document.getElementById(id);

const alerts = new Alerts();
const reminders = new Reminders();
const settings = new Settings(alerts, reminders, () => timeline.toEnd());
const viewer = new Viewer();
const camera = new Camera((picked) => sendFiles(picked));
const composer = new Composer((text, secret) => say({ kind: "text", text, ...(secret && { secret }) }), act);
const actions = {
  tap,
  ask: act,
  write: (text) => composer.write(text),
  view: (media, index) => viewer.open(media, index),
  resend: (id, without) => outbox.resend(id, { without }),
  drop: (id) => outbox.drop(id),
};
const timeline = new Timeline(actions, (ask) => composer.prompt(ask));
const originals = new Originals(new Store(ORIGINALS));
const outbox = new Outbox(new Store(MESSAGES), originals, onOutbox);
const towns = new Towns(outbox, { onChosen: connect, onOffline: () => linkState("offline") });
const events = new EventStream({ onMessage, onTyping: () => timeline.typing(true), onUp, onDown });

let language = remembered("language") || navigator.language;
let answerTimer = 0;
let saidMs = 0;
let askedConsent = false;
let hiddenSinceMs = 0;
let lastTap = { data: "", atMs: 0 };
let loadingOlder = false;
let connecting = false;
let failures = 0;
let retryTimer = 0;

function dress(township, newLanguage) {
  language = newLanguage || language;
  setLanguage(language);
  if (township) {
    $("title").textContent = township;
    alerts.title(township);
  }
}

function linkState(key) {
  $("link-state").textContent = key ? t(key) : "";
}

async function say(draft) {
  saidMs = Date.now();
  const [item, safe] = await outbox.add(draft);
  composer.hint(safe ? "" : t("unsaved"));
  timeline.toEnd();
  timeline.addLocal(item);
  outbox.wake();
}

function tap(choice, button) {
  const nowMs = Date.now();
  if (choice.data === lastTap.data && nowMs - lastTap.atMs < DOUBLE_TAP_MS) return;
  lastTap = { data: choice.data, atMs: nowMs };
  button.closest(".choices").querySelectorAll(".picked").forEach((node) => node.classList.remove("picked"));
  button.classList.add("picked");
  say({ kind: "tap", data: choice.data, text: choice.label, under: button.closest(".message").dataset.card });
}

function askMenu() {
  if (timeline.isEmpty) say({ kind: "start" });
  else say({ kind: "tap", data: "/help", text: t("menu") });
}

function act(name) {
  if (name === "place") sendPlace();
  else if (name === "settings") settings.open();
  else camera.open(name);
}

function sendFiles(picked) {
  const { files, faults } = sift(picked);
  const advise = () => { if (faults.length) composer.hint(faults.join("\n")); };
  if (files.length) say({ kind: "media", files }).then(advise);
  else advise();
}

async function sendPlace() {
  composer.hint(t("locating"));
  try {
    const place = await locate();
    await say({ kind: "place", ...place });
  } catch (error) {
    composer.hint(t(error.message));
  }
}

function onOutbox(id, state, detail) {
  timeline.setState(id, state, detail);
  if (state === "sent") events.hurry();
  if (detail.code === CONSENT_FIRST && !askedConsent) {
    askedConsent = true;
    say({ kind: "start" });
  }
  if (state !== "sent" || !timeline.awaitsAnswer) return;
  timeline.typing(true);
  clearTimeout(answerTimer);
  answerTimer = setTimeout(refresh, NO_ANSWER_MS);
}

function located(messages) {
  for (const item of messages.flatMap((message) => message.media || [])) {
    item.url = inTownship(item.url);
    if (item.thumb) item.thumb = inTownship(item.thumb);
  }
  return messages;
}

function accept(messages, options) {
  const fresh = timeline.take(located(messages), options);
  const own = fresh.map((message) => message.client_id).filter(Boolean);
  if (own.length) outbox.forget(own);
  return fresh;
}

function onMessage(message) {
  const fresh = accept([message]).length > 0;
  if (message.from !== "bot") return;
  if (fresh && !message.changes) alerts.hear(Date.now() - saidMs < NO_ANSWER_MS);
  clearTimeout(answerTimer);
  timeline.typing(false);
  if (Date.now() - lastTap.atMs < NO_ANSWER_MS) outbox.resendHeld();
}

function onUp(again) {
  linkState("");
  outbox.wake();
  timeline.retryPictures();
  tellWhoLooks();
  if (again) refresh();
}

function onDown(status) {
  linkState(navigator.onLine === false ? "offline" : "connecting");
  if (status === 401 || status === 403) openSession().catch(() => null);
  if (status === 409) connect();
}

/** Fetches what was missed, page by page until it meets what is shown. */
async function refresh() {
  try {
    let page = await readHistory(null, FIRST_PAGE);
    const gap = [...page.messages];
    for (let pages = 1; page.more && pages < MOST_PAGES_BACK && !timeline.isEmpty; pages += 1) {
      if (page.messages.some((message) => timeline.has(message.id))) break;
      page = await readHistory(page.messages[0].id, OLDER_PAGE);
      gap.unshift(...page.messages);
    }
    if (accept(gap).some((message) => message.from === "bot")) timeline.typing(false);
  } catch {
    // The stream's own reconnection comes back here.
  }
}

async function loadOlder() {
  if (loadingOlder || $("older").hidden) return;
  loadingOlder = true;
  try {
    const page = await readHistory(timeline.oldestId, OLDER_PAGE);
    timeline.takeOlder(located(page.messages));
    $("older").hidden = !page.more;
  } catch {
    linkState("offline");
  } finally {
    loadingOlder = false;
  }
}

/** Takes a link's invitation or printed code; nothing of it, nor the township (`towns` has it), stays in the address. */
async function takeLink(query) {
  const token = query.get("join") ?? query.get("start");
  if (token === null && !query.has("t")) return;
  if (token !== null) await say({ kind: "start", payload: token });
  for (const taken of ["join", "start", "t"]) query.delete(taken);
  const rest = query.toString();
  history.replaceState(null, "", location.pathname + (rest ? `?${rest}` : ""));
}

/** Whoever was here is not any more: nothing of theirs stays on the screen or in the browser. */
async function leave() {
  await forgetAll();
  location.replace(`/?ended=1${location.hash}`);
}

/** Session and first page of history, tried until it works. */
async function connect() {
  if (connecting || towns.asks) return;
  connecting = true;
  clearTimeout(retryTimer);
  try {
    const session = await openSession(towns.code);
    if (session.townships) {
      linkState("");
      dress("", session.language);
      towns.ask(session.townships);
      return;
    }
    towns.enter(session);
    remember("language", session.language);
    remember("township", session.township);
    dress(session.township, session.language);
    alerts.quiet(session.quiet);
    const page = await readHistory(null, FIRST_PAGE);
    accept(page.messages, { quiet: true });
    $("older").hidden = !page.more;
    $("welcome").hidden = !timeline.isEmpty;
    timeline.toEnd();
    originals.start(session.originals, session.several ? session.code : "", () => outbox.isIdle());
    outbox.start();
    events.connect(timeline.newestId);
    reminders.begin(session.push, session.several ? session.code : "");
    if (session.wechat) prepareWeChat();
  } catch (error) {
    linkState(navigator.onLine === false ? "offline" : "connecting");
    if (error instanceof Refused) composer.hint(error.text);
    retryTimer = setTimeout(connect, Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures));
    failures += 1;
  } finally {
    connecting = false;
  }
}

/** The network is back, or the page is: do not wait for the next attempt. */
function hurry() {
  if (!outbox.isOpen) {
    connect();
    return;
  }
  events.connect();
  outbox.wake();
}

function onVisibility() {
  if (document.hidden) {
    hiddenSinceMs = Date.now();
    if (reminders.on) events.rest(); // else a phone asleep would take messages that nobody sees, and no push comes
    return;
  }
  // Phones silently drop the line of a page that was put away.
  if (reminders.on || Date.now() - hiddenSinceMs > AWAY_MS) hurry();
}

function fitKeyboard() {
  const view = window.visualViewport;
  if (!view || view.scale > 1.01) return;
  document.documentElement.style.setProperty("--height", `${Math.round(view.height)}px`);
  window.scrollTo(0, 0);
}

function listen() {
  $("begin").addEventListener("click", () => say({ kind: "start" }));
  $("menu").addEventListener("click", askMenu);
  $("older").addEventListener("click", loadOlder);
  $("log").addEventListener("scroll", () => { if ($("log").scrollTop < NEAR_TOP_PX) loadOlder(); },
    { passive: true });
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("offline", () => linkState("offline"));
  window.addEventListener("online", hurry);
  window.visualViewport?.addEventListener("resize", fitKeyboard);
}

async function main() {
  document.documentElement.dataset.started = "1";
  dress(remembered("township"), language);
  composer.prompt(null);
  listen();
  watchWhoLooks();
  whenAstray(connect);
  whenEnded(leave);
  linkState(navigator.onLine === false ? "offline" : "connecting");
  const query = new URLSearchParams(location.search);
  const behind = new URLSearchParams(location.hash.slice(1)); // from WeChat's menu the township comes after «#»
  if (behind.has("t")) query.set("t", behind.get("t"));
  towns.recall(query);
  if (query.has("ended")) {
    composer.hint(t("ended"));
    history.replaceState(null, "", location.pathname + location.hash);
  }
  for (const item of await outbox.open()) timeline.addLocal(item);
  await originals.open();
  await takeLink(query);
  await connect();
  navigator.serviceWorker?.register("/sw.js").catch(() => null);
}

main();
