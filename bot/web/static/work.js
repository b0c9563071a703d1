// Work that the server asks of newcomers when many come: hashes to be searched. SHA-256 in plain words, because
// browsers have none of their own on http; in slices, so that an old phone can be used meanwhile.

const SLICE_MS = 12;
const UNSEEN_SLICE_MS = 200; // a page that nobody sees gets few turns
const START = primesRoots(8, 1 / 2);
const ROUNDS = primesRoots(64, 1 / 3);

/** The first 32 bits behind the point of the roots of the first primes, of which SHA-256 is made. */
function primesRoots(count, power) {
  const found = new Int32Array(count);
  const primes = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.some((prime) => number % prime === 0)) continue;
    const root = number ** power;
    found[primes.length] = ((root - Math.floor(root)) * 4294967296) | 0;
    primes.push(number);
  }
  return found;
}

/** Mixes the block in `words` (64 long, of which 16 are given) into `state`. */
function compress(state, words) {
  for (let at = 16; at < 64; at += 1) {
    const a = words[at - 15];
    const b = words[at - 2];
    const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    words[at] = (words[at - 16] + s0 + words[at - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let at = 0; at < 64; at += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[at] + words[at]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** The eight words of the SHA-256 of an ASCII text. */
export function sha256(text) {
  const blocks = Math.floor((text.length + 8) / 64) + 1;
  const all = new Int32Array(blocks * 16);
  for (let at = 0; at < text.length; at += 1) all[at >> 2] |= text.charCodeAt(at) << (24 - 8 * (at & 3));
  all[text.length >> 2] |= 0x80 << (24 - 8 * (text.length & 3));
  all[all.length - 1] = text.length * 8;
  const state = START.slice();
  const words = new Int32Array(64);
  for (let block = 0; block < blocks; block += 1) {
    words.set(all.subarray(block * 16, block * 16 + 16));
    compress(state, words);
  }
  return state;
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** What the server wants to see for its challenge («until.bits.parts.signature»): it, and a nonce for each part. */
export async function work(challenge) {
  const [, bits, parts] = challenge.split(".").map(Number);
  const seed = sha256(challenge);
  const words = new Int32Array(64);
  const state = new Int32Array(8);
  const found = [];
  let untilMs = performance.now() + SLICE_MS;
  for (let part = 0; part < parts; part += 1) {
    for (let nonce = 0; ; nonce += 1) {
      words.set(seed);
      words[8] = part;
      words[9] = nonce;
      words[10] = 0x80000000 | 0;
      words.fill(0, 11, 15);
      words[15] = 320; // bits of what is hashed: 40 bytes, one block
      state.set(START);
      compress(state, words);
      if (state[0] >>> (32 - bits) === 0) {
        found.push(nonce);
        break;
      }
      if ((nonce & 63) === 0 && performance.now() > untilMs) {
        await pause();
        untilMs = performance.now() + (document.hidden ? UNSEEN_SLICE_MS : SLICE_MS);
      }
    }
  }
  return `${challenge}~${found.join("-")}`;
}
