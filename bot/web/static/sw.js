// Keeps the page's own files, so that it opens without a network; nothing of /api or /media is kept.
// Shows that something waits when no page is open.

const VERSION = "23b784a5f9c3";
const CACHE = `jingxiang-${VERSION}`;
const SHELL = [
  "/",
  "/static/alerts.js",
  "/static/api.js",
  "/static/bubble.js",
  "/static/camera.js",
  "/static/chat.css",
  "/static/chat.js",
  "/static/composer.js",
  "/static/events.js",
  "/static/fallback.js",
  "/static/focus.js",
  "/static/icon.svg",
  "/static/manifest.webmanifest",
  "/static/memory.js",
  "/static/originals.js",
  "/static/outbox.js",
  "/static/place.js",
  "/static/presence.js",
  "/static/reduce.js",
  "/static/reminders.js",
  "/static/settings.js",
  "/static/store.js",
  "/static/texts.js",
  "/static/timeline.js",
  "/static/towns.js",
  "/static/viewer.js",
  "/static/wechat.js",
  "/static/work.js",
];

async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((path) => new Request(path, { cache: "reload" })));
  await self.skipWaiting();
}

async function tidy() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("jingxiang-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request, path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) || fetch(request);
}

function pages() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}

function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

/** A push says the township and that there is something new, and nothing of what: a lock screen is read by others. */
async function tell(data) {
  if ((await pages()).some((page) => page.visibilityState === "visible")) return;
  const { title = "净乡", text = "有新消息", t = "" } = data ? read(data) : {};
  await self.registration.showNotification(title, {
    body: text, tag: `news ${t}`, renotify: true, icon: "/static/icon-192.png", data: { t },
  });
}

async function toPage(town) {
  const path = town ? `/?t=${encodeURIComponent(town)}` : "/";
  const page = (await pages()).find(({ url }) => new URL(url).pathname === "/");
  if (!page) return self.clients.openWindow(path);
  if (!town) return page.focus();
  const there = await page.navigate(path).catch(() => null); // of several townships the one that has news
  return there ? there.focus() : self.clients.openWindow(path);
}

self.addEventListener("push", (event) => event.waitUntil(tell(event.data)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(toPage(event.notification.data?.t));
});
self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (SHELL.includes(url.pathname)) event.respondWith(answer(event.request, url.pathname));
});
