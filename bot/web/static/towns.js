// Which township this page is in. Where there are several and none is known, large buttons ask: one thumb.

import { openSession, setTownship } from "./api.js";
import { make } from "./bubble.js";
import { remember, remembered } from "./memory.js";

const MANY = 12;
const CODE = /^[A-Za-z0-9_-]{1,40}$/;

const $ = (id) => document.getElementById(id);

export class Towns {
  #outbox;
  #on;
  #offered = [];
  #entered = false;

  /** The township's code; "" while it is not known, and where there is only one. */
  code = "";

  /** What is written goes to `outbox`. Calls `onChosen()` after the first choice, `onOffline()` when one failed. */
  constructor(outbox, on) {
    this.#outbox = outbox;
    this.#on = on;
    $("switch").addEventListener("click", () => this.#another());
    $("towns-find").addEventListener("input", () => this.#sift());
    $("towns-back").addEventListener("click", () => this.#turn(false));
  }

  /** Whether somebody is being asked. */
  get asks() {
    return !$("towns").hidden;
  }

  /** Takes the township of a link (its `t`), else the one of the last visit. */
  recall(query) {
    const named = query.get("t") || "";
    if (CODE.test(named)) remember("town", named);
    this.#be(CODE.test(named) ? named : remembered("town") || "");
  }

  /** The server has opened a session in a township. */
  enter(session) {
    this.#be(session.several ? session.code : "");
    setTownship(this.code);
    if (this.code) remember("town", this.code);
    $("switch").hidden = !session.several;
    this.#entered = true;
  }

  #be(code) {
    this.code = code;
    this.#outbox.use(code);
  }

  /** Asks: `offered` are {code, name, county}. From `current` one may go back without choosing. */
  ask(offered, current = "") {
    this.#offered = offered;
    const counties = new Set(offered.map((town) => town.county));
    const list = [];
    let county = null;
    for (const town of offered) {
      if (counties.size > 1 && town.county !== county) list.push(make("h3", "", town.county));
      county = town.county;
      list.push(this.#button(town, town.code === current));
    }
    $("towns-list").replaceChildren(...list);
    $("towns-find").value = "";
    $("towns-find").hidden = offered.length <= MANY;
    $("towns-back").hidden = !current;
    this.#turn(true);
    $("towns").scrollTop = 0;
    $("towns-title").focus({ preventScroll: true });
  }

  #button(town, isCurrent) {
    const button = make("button", isCurrent ? "big current" : "big", town.name);
    button.type = "button";
    if (isCurrent) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => this.#choose(town.code));
    return button;
  }

  #turn(asks) {
    $("towns").hidden = !asks;
    $("switch").hidden = asks || !this.code;
    for (const id of ["log", "bar", "menu"]) $(id).hidden = asks;
  }

  #sift() {
    const said = $("towns-find").value.trim();
    for (const node of $("towns-list").children) {
      node.hidden = said !== "" && (node.tagName === "H3" || !node.textContent.includes(said));
    }
  }

  async #another() {
    try {
      const session = await openSession("", { choose: true });
      this.ask(session.townships, this.code);
    } catch {
      this.#on.onOffline();
    }
  }

  async #choose(code) {
    if (this.#entered && code === this.code) return this.#turn(false);
    try {
      const session = await openSession(code);
      if (session.townships) return this.ask(session.townships);
    } catch {
      return this.#on.onOffline();
    }
    const before = this.code;
    this.#be(code);
    remember("town", code);
    if (before && !this.#offered.some((town) => town.code === before)) await this.#outbox.adopt(before);
    if (this.#entered) return location.reload(); // nothing of the other conversation stays on the screen
    this.#turn(false);
    return this.#on.onChosen();
  }
}
