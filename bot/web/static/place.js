// The phone's own position (WGS-84), asked once and only when the person taps for it.

import { locateByWeChat } from "./wechat.js";

const EXACT = { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 };
const ROUGH = { enableHighAccuracy: false, timeout: 10000, maximumAge: 300000 };
const REFUSED = 1;

function ask(options) {
  return new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject, options));
}

async function locateByBrowser() {
  if (!navigator.geolocation || !window.isSecureContext) throw new Error("placeUnsupported");
  try {
    const found = await ask(EXACT).catch((error) => {
      if (error.code === REFUSED) throw error;
      return ask(ROUGH);
    });
    return found.coords;
  } catch (error) {
    throw new Error(error.code === REFUSED ? "placeRefused" : "placeTimeout");
  }
}

/** → {lat, lng, accuracy_m}; throws an Error whose message is the key of a text to show. */
export async function locate() {
  const { latitude, longitude, accuracy } = await locateByWeChat() || await locateByBrowser();
  const short = (degrees) => Number(degrees.toFixed(6));
  return { lat: short(latitude), lng: short(longitude), accuracy_m: Math.max(1, Math.round(accuracy)) };
}
