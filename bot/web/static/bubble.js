// One message as DOM nodes. Text goes in as text, never as markup.

import { t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const PICTURES = ["photo", "album"];
const ASK_BUTTONS = { place: ["place"], photos: PICTURES, photos_words: PICTURES, date: ["date"] };
const ASK_ICONS = { place: "pin", photo: "camera", album: "album" };
const LINK_SCHEMES = ["https:", "http:", "tel:", "geo:"];
// A number with its unit, a date, a case or ticket number: never torn apart at the end of a line.
const WHOLE = /[A-Za-z]?\d+(?:[-:/]\d+)+|[A-Za-z]\d+|\d[\d.,]*(?: ?(?:公斤|千克|小时|分钟|人次|车次|[斤吨元分方年天%]|kg))?/g;
const LONGEST_WHOLE = 12;
const COMMAND = "/";
const VERBS = { "@": "edit", "<": "turn", x: "turn" };
const FEWEST_PAIRED = 4;
const LONGEST_PAIRED = 10;
const FEWEST_MENU = 5;
const DETAIL = /\s?·\s?/;

/** An element with a class, text and children. */
export function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  if (className) svg.setAttribute("class", className);
  svg.append(use);
  return svg;
}

export function button(className, label, onClick, iconName = "") {
  const node = make("button", className, iconName ? icon(iconName) : null, make("span", "", label));
  node.type = "button";
  node.addEventListener("click", onClick);
  return node;
}

/** A picture alone is shown whole: a cut QR code is of no use. */
function thumbnail(item, onClick) {
  const name = item.alt || t(item.kind === "video" ? "movie" : "image");
  const node = make("button", `thumb ${item.kind}`);
  node.type = "button";
  node.setAttribute("aria-label", t("openMedia", { name }));
  if (item.thumb) {
    const image = make("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = "";
    image.addEventListener("error", () => node.classList.add("broken"));
    image.addEventListener("load", () => {
      node.classList.remove("broken");
      const ratio = image.naturalHeight / image.naturalWidth;
      if (ratio > 0.9) node.classList.add(ratio > 1.1 ? "tall" : "square");
    });
    image.src = item.thumb;
    node.append(image);
  }
  node.append(icon(item.kind === "video" ? "play" : "album"));
  node.addEventListener("click", onClick);
  return node;
}

function gallery(media, actions) {
  if (!media.length) return null;
  const count = media.length === 1 ? "one" : media.length === 2 || media.length === 4 ? "two" : "three";
  return make("div", `gallery ${count}`, ...media.map((item, index) => (
    thumbnail(item, () => actions.view(media, index)))));
}

function link({ label, url }) {
  let target;
  try {
    target = new URL(url, location.href);
  } catch {
    return null;
  }
  if (!LINK_SCHEMES.includes(target.protocol)) return null;
  const node = make("a", "link", icon(target.protocol === "tel:" ? "phone" : "link"), make("span", "", label || url));
  node.href = target.href;
  node.rel = "noopener noreferrer";
  if (target.protocol.startsWith("http")) node.target = "_blank";
  return node;
}

/** Whether a message's buttons are commands, which stay good; answers to a question end with it. */
export function isLasting(message) {
  return !message.ask && message.choices?.length > 0 && message.choices.flat().every(({ data }) => data.startsWith(COMMAND));
}

/** Whether it is a menu: many commands that are about nothing in particular. */
export function isMenu(message) {
  const all = (message.choices || []).flat();
  return isLasting(message) && all.length >= FEWEST_MENU && all.every(({ data }) => !data.includes(" "));
}

/** "edit" changes one answer of a review, "turn" goes back or gives up, "" is an answer or a command. */
function role({ data }) {
  return data.startsWith(COMMAND) ? "" : VERBS[data.split(".")[2]?.[0]] || "";
}

/** Groups of rows that share a look: the edits of a review as small buttons, many short options in pairs. */
function grouped(rows) {
  const groups = [];
  for (const row of rows) {
    const kind = row.every((choice) => role(choice) === "edit") ? "edits"
      : row.length === 1 && !role(row[0]) && row[0].style === "plain" && row[0].label.length <= LONGEST_PAIRED ? "pairs" : "";
    const last = groups[groups.length - 1];
    if (kind && last?.kind === kind) last.rows.push(row);
    else groups.push({ kind, rows: [row] });
  }
  return groups;
}

function choices(message, actions) {
  if (!message.choices?.length) return null;
  const oneMain = message.choices.flat().filter(({ style }) => style === "primary").length === 1;
  const one = (choice) => {
    const style = choice.style === "primary" ? (oneMain ? "primary" : "main") : choice.style === "danger" ? "danger" : "plain";
    const node = button(`choice ${style} ${role(choice)}`, choice.label, (event) => actions.tap(choice, event.currentTarget));
    const [name, ...details] = choice.label.split(DETAIL);
    if (details.length) {
      node.classList.add("detailed");
      node.replaceChildren(make("span", "", name), make("small", "", details.join(" · ")));
    }
    return node;
  };
  const rows = grouped(message.choices).flatMap(({ kind, rows: some }) => {
    const joined = kind === "edits" || (kind === "pairs" && some.length >= FEWEST_PAIRED);
    return joined ? [make("div", `row ${kind}`, ...some.flat().map(one))] : some.map((row) => make("div", "row", ...row.map(one)));
  });
  return make("div", `choices${isLasting(message) ? " lasting" : ""}${isMenu(message) ? " menu" : ""}`, ...rows);
}

function dateField(actions) {
  const input = make("input");
  input.type = "date";
  input.addEventListener("change", () => actions.write(input.value));
  return make("label", "big date", make("span", "", t("pickDate")), input);
}

function asks(message, actions) {
  const names = ASK_BUTTONS[message.ask];
  if (!names) return null;
  const done = message.choices?.flat().some(({ style }) => style === "primary");
  return make("div", done ? "asks row" : "asks", ...names.map((name, index) => {
    if (name === "date") return dateField(actions);
    const rank = index === 0 && !done ? "primary" : "plain";
    return button(`big ${rank}`, t(name === "place" ? "sendPlace" : name), () => actions.ask(name), ASK_ICONS[name]);
  }));
}

function textBubble(text) {
  if (!text) return null;
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(WHOLE)) {
    if (found[0].length > LONGEST_WHOLE) continue;
    parts.push(text.slice(from, found.index), make("span", "whole", found[0]));
    from = found.index + found[0].length;
  }
  return make("div", "bubble", ...parts, text.slice(from));
}

/** A message of the contract → its node. */
export function botMessage(message, actions) {
  const node = make("div", "message bot",
    icon("bot", "avatar"),
    make("div", "body",
      make("span", "sr", t("bot")),
      textBubble(message.text),
      gallery(message.media || [], actions),
      ...(message.links || []).map(link),
      asks(message, actions),
      choices(message, actions)));
  if (message.card) node.dataset.card = message.id;
  return node;
}

/** The person's own message; `media` items may be local previews. */
export function ownMessage({ text, media, place }, actions) {
  const bubble = textBubble(text);
  if (place && bubble) bubble.prepend(icon("pin"));
  return make("div", "message me",
    make("div", "body",
      make("span", "sr", t("me")),
      make("div", "line", make("span", "status"), make("div", "said", bubble, gallery(media || [], actions))),
      make("div", "note")));
}

function failedButtons(id, others, actions) {
  const rest = others ? button("quiet", t("sendRest", { count: others }), () => actions.resend(id, true)) : null;
  return make("div", "row", rest,
    button("quiet", t("resend"), () => actions.resend(id, false)),
    button("quiet", t("remove"), () => actions.drop(id)));
}

function progressBar(share, note) {
  const known = note.querySelector("progress");
  const bar = known || make("progress");
  bar.max = 1;
  bar.value = share;
  bar.setAttribute("aria-label", t("sending"));
  if (!known) note.replaceChildren(bar);
}

/** Shows how far an own message has come: waiting, sending, sent or failed. */
export function showState(node, id, state, detail, actions) {
  const note = node.querySelector(".note");
  if (state === "sending" && detail.progress !== undefined) progressBar(detail.progress, note);
  if (node.dataset.state === state && state === "sending") return;
  node.dataset.state = state;
  const icons = { waiting: "clock", sending: "clock", sent: "tick", failed: "alert" };
  node.querySelector(".status").replaceChildren(icon(icons[state]), make("span", "sr", t(state)));
  if (state === "sent") note.replaceChildren();
  if (state === "waiting") note.replaceChildren(detail.text || t(detail.busy ? "busy" : "waiting"));
  if (state === "failed") {
    note.replaceChildren(make("p", "", `${t("failed")}：${detail.text}`), failedButtons(id, detail.others, actions));
  }
  if (state === "sending" && detail.progress === undefined) note.replaceChildren();
}
