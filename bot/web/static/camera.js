// Photos and videos: from the camera, the album or the clipboard.

import { t } from "./texts.js";

const MOST_FILES = 9;
const MOST_BYTES = 20 * 1024 * 1024;

function fault(file) {
  if (file.type && !/^(image|video)\//.test(file.type)) return t("notPicture", { name: file.name });
  if (file.size === 0) return t("emptyFile", { name: file.name });
  if (file.size > MOST_BYTES) {
    return t("tooLarge", { name: file.name, size: (file.size / 1048576).toFixed(0) });
  }
  return "";
}

/** Sorts picked files → {files: [{blob, name}], faults: [text]}. */
export function sift(picked) {
  const files = [];
  const faults = [];
  for (const file of picked) {
    const text = fault(file);
    if (text) faults.push(text);
    else files.push({ blob: file, name: file.name || "photo" });
  }
  if (files.length > MOST_FILES) faults.push(t("tooMany"));
  return { files: files.slice(0, MOST_FILES), faults };
}

/** Opens a picker by its name (photo, video, album); `onFiles` hears what was chosen. */
export class Camera {
  constructor(onFiles) {
    for (const name of ["photo", "video", "album"]) {
      const input = document.getElementById(`pick-${name}`);
      input.addEventListener("change", () => {
        const picked = Array.from(input.files);
        input.value = "";
        if (picked.length) onFiles(picked);
      });
    }
    document.addEventListener("paste", (event) => {
      const picked = Array.from(event.clipboardData?.files || []);
      if (!picked.length) return;
      event.preventDefault();
      onFiles(picked);
    });
  }

  open(name) {
    document.getElementById(`pick-${name}`).click();
  }
}
