// Inside WeChat: the phone's position through WeChat itself (JS-SDK), which asks the person once and not again.

import { readWeChat } from "./api.js";

const READY_MS = 5000;
const FIX_MS = 15000;
const AGENT = navigator.userAgent;
const INSIDE = /MicroMessenger/i.test(AGENT) && !/wxwork/i.test(AGENT);
// On an iPhone WeChat goes on knowing the page by the address it was opened with, elsewhere by the present one.
const OPENED_AS = location.href;
const BY_FIRST_ADDRESS = /iPhone|iPad|iPod/.test(AGENT);

let wanted = false;
let getting = null;

function after(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("slow")), ms));
}

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.wx?.config ? resolve(window.wx) : reject(new Error("no wx")));
    script.onerror = () => reject(new Error("no script"));
    document.head.append(script);
  });
}

/** Signs the page → WeChat's object, ready for use. */
async function get() {
  const { sdk, ...signed } = await readWeChat((BY_FIRST_ADDRESS ? OPENED_AS : location.href).split("#")[0]);
  const wx = await load(sdk);
  await new Promise((resolve, reject) => {
    wx.error((found) => reject(new Error(found?.errMsg)));
    wx.ready(resolve);
    wx.config({ debug: false, ...signed, jsApiList: ["getLocation"] });
  });
  return wx;
}

function begin() {
  if (getting) return;
  getting = get();
  getting.catch(() => { getting = null; });
}

/** The server knows WeChat: get it ready in the background. */
export function prepareWeChat() {
  wanted = INSIDE;
  if (wanted) begin();
}

function ask(wx) {
  return new Promise((resolve, reject) => wx.getLocation({
    type: "wgs84", success: resolve, fail: reject, cancel: () => reject(new Error("placeRefused")),
  }));
}

/**
 * → {latitude, longitude, accuracy} in WGS-84, or null where there is no such way or it fails: then the browser is
 * asked. Throws an Error "placeRefused" when the person does not want to tell.
 */
export async function locateByWeChat() {
  if (!wanted) return null;
  begin(); // what failed on the way here is tried once more
  try {
    const wx = await Promise.race([getting, after(READY_MS)]);
    const found = await Promise.race([ask(wx), after(FIX_MS)]);
    const [latitude, longitude, accuracy] = [found.latitude, found.longitude, found.accuracy].map(Number.parseFloat);
    if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return null;
    return { latitude, longitude, accuracy: Number.isFinite(accuracy) ? accuracy : 0 };
  } catch (error) {
    if (error.message === "placeRefused") throw error;
    return null;
  }
}
