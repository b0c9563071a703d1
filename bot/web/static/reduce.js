// A photo for a weak network: at most 2,048 pixels and about 300 KB. What its EXIF says of place and time goes along,
// copied tag by tag. Whatever is not understood here is sent as it is.

const LARGEST_PX = 2048;
const SMALL_BYTES = 400_000;
const WANTED_BYTES = 330_000;
const QUALITIES = [0.82, 0.72, 0.62, 0.5];
const HEAD_BYTES = 262_144;
const UPRIGHT = "from-image";
const CAMERA = 0x8769;
const PLACE = 0x8825;
const DATE_TIME = 0x0132;
const CAMERA_TAGS = [0x9003, 0x9010, 0x9011];
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const MOST_TAGS = 200;
const MOST_VALUE_BYTES = 64;

/** The TIFF block of a JPEG's EXIF as a DataView, or null. */
function tiffOf(head) {
  const view = new DataView(head);
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xda) return null;
    const length = view.getUint16(at + 2);
    if (marker === 0xe1 && view.getUint32(at + 4) === 0x45786966) return new DataView(head, at + 10, length - 8);
    at += 2 + length;
  }
  return null;
}

/** The entries of a directory: [{tag, type, count, bytes}], in the byte order of the block. */
function entriesAt(tiff, at, little) {
  const found = [];
  const count = Math.min(tiff.getUint16(at, little), MOST_TAGS);
  for (let index = 0; index < count; index += 1) {
    const entry = at + 2 + 12 * index;
    const type = tiff.getUint16(entry + 2, little);
    const values = tiff.getUint32(entry + 4, little);
    const size = (SIZES[type] || 0) * values;
    if (!size || size > MOST_VALUE_BYTES) continue;
    const from = size > 4 ? tiff.getUint32(entry + 8, little) : entry + 8;
    if (from + size > tiff.byteLength) continue;
    const bytes = new Uint8Array(tiff.buffer, tiff.byteOffset + from, size);
    found.push({ tag: tiff.getUint16(entry, little), type, count: values, bytes });
  }
  return found;
}

function inside(tiff, directory, tag, little) {
  const entry = directory.find((one) => one.tag === tag);
  if (!entry) return [];
  return entriesAt(tiff, new DataView(entry.bytes.buffer, entry.bytes.byteOffset, 4).getUint32(0, little), little);
}

/** An APP1 segment with nothing but place and time of another's TIFF block; null when that says neither. */
function evidence(tiff) {
  const little = tiff.getUint16(0) === 0x4949;
  const first = entriesAt(tiff, tiff.getUint32(4, little), little);
  const camera = inside(tiff, first, CAMERA, little).filter(({ tag }) => CAMERA_TAGS.includes(tag));
  const place = inside(tiff, first, PLACE, little);
  const own = first.filter(({ tag }) => tag === DATE_TIME);
  if (!camera.length && !place.length && !own.length) return null;
  const out = new DataView(new ArrayBuffer(65_000));
  const bytes = new Uint8Array(out.buffer);
  const base = 10;
  let end = base + 8;
  const write = (entries) => {
    const at = end;
    end += 2 + 12 * entries.length + 4;
    out.setUint16(at, entries.length, little);
    entries.forEach((entry, index) => {
      const to = at + 2 + 12 * index;
      out.setUint16(to, entry.tag, little);
      out.setUint16(to + 2, entry.type, little);
      out.setUint32(to + 4, entry.count, little);
      if (entry.bytes.length <= 4) return bytes.set(entry.bytes, to + 8);
      out.setUint32(to + 8, end - base, little);
      bytes.set(entry.bytes, end);
      end += entry.bytes.length + (entry.bytes.length % 2);
    });
    return at - base;
  };
  const pointer = (tag) => ({ tag, type: 4, count: 1, bytes: new Uint8Array(4) });
  const others = [camera.length ? CAMERA : 0, place.length ? PLACE : 0].filter(Boolean).map(pointer);
  const root = write([...own, ...others]);
  const point = (tag, to) => {
    const index = own.length + others.findIndex((entry) => entry.tag === tag);
    out.setUint32(base + root + 2 + 12 * index + 8, to, little);
  };
  if (camera.length) point(CAMERA, write(camera));
  if (place.length) point(PLACE, write(place));
  out.setUint16(0, 0xffe1);
  out.setUint16(2, end - 2);
  bytes.set([0x45, 0x78, 0x69, 0x66, 0, 0], 4);
  out.setUint16(base, little ? 0x4949 : 0x4d4d);
  out.setUint16(base + 2, 42, little);
  out.setUint32(base + 4, root, little);
  return bytes.slice(0, end);
}

async function drawn(blob) {
  const picture = await createImageBitmap(blob, { imageOrientation: UPRIGHT });
  try {
    const scale = Math.min(1, LARGEST_PX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    picture.close();
  }
}

/** → the photo to send: smaller where that can be done, else the very same one. */
export async function reduced(blob) {
  if (blob.size <= SMALL_BYTES) return blob;
  try {
    const head = await blob.slice(0, HEAD_BYTES).arrayBuffer();
    if (new DataView(head).getUint16(0) !== 0xffd8) return blob;
    const tiff = tiffOf(head);
    const seen = tiff && evidence(tiff);
    const canvas = await drawn(blob);
    let small = null;
    for (const quality of QUALITIES) {
      small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (small && small.size <= WANTED_BYTES) break;
    }
    canvas.width = 0; // phones keep its memory otherwise
    if (!small || small.size >= blob.size) return blob;
    const parts = seen ? [small.slice(0, 2), seen, small.slice(2)] : [small];
    return new Blob(parts, { type: "image/jpeg" });
  } catch {
    return blob;
  }
}
