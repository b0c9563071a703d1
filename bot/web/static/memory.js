// A few words that outlive the page. Without storage the next start asks again; nothing is lost.

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
