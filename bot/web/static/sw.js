// Keeps the page's own files, so that it opens without a network. Nothing of /api or /media is kept.

const VERSION = "7c92f0a89f77";
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
  "/static/outbox.js",
  "/static/place.js",
  "/static/presence.js",
  "/static/reduce.js",
  "/static/settings.js",
  "/static/store.js",
  "/static/texts.js",
  "/static/timeline.js",
  "/static/towns.js",
  "/static/viewer.js",
  "/static/wechat.js",
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

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (SHELL.includes(url.pathname)) event.respondWith(answer(event.request, url.pathname));
});
