/** One call in the table: its cells, what is open beneath it, and its buttons. */

import { now } from "../api.js";
import { maySay, writeComment } from "./comment.js";
import { details } from "./details.js";
import { el, put, unbroken } from "./dom.js";
import { clock, day, duration, money, party } from "../lib/formats.js";
import { drawn, endedMark, sideIcon, statusIcon } from "./icons.js";
import { t } from "../lib/i18n.js";

const NUMBERS = new Set(["talk", "placed", "wait", "price"]);

/** An internal call is an outgoing one to who made it, an incoming one to who got it. */
export function sideOf(entry, me) {
  if (entry.direction !== "internal") return entry.direction;
  if (entry.caller.account_id === me.account.id) return "outbound";
  const mine = new Set(me.lines.map((line) => line.address));
  const got = [entry.callee.address, entry.answered_by?.address, ...entry.rung];
  return got.some((address) => mine.has(address)) ? "inbound" : "internal";
}

export class Row {
  constructor(table, entry) {
    Object.assign(this, { table, entry, more: null, playing: null });
    const cell = (word) => el("td", { role: "cell", class: word, "data-label": table.columns.includes(word) && t(word) });
    this.cells = Object.fromEntries(["details", ...table.columns, "actions"].map((word) => [word, cell(word)]));
    this.line = el("tr", { role: "row", class: "call", "data-call": entry.call_id }, Object.values(this.cells));
    this.chevron = el("button", { type: "button", class: "tool chevron", "aria-expanded": "false", onclick: () => this.toggle() }, drawn("chevron"));
    this.cells.details.append(this.chevron);
    this.buttons();
    this.line.addEventListener("click", (event) => {
      if (!event.target.closest("button, a, input, .actions") && !String(getSelection())) this.toggle();
    });
    this.draw();
  }

  get nodes() {
    return [this.line, this.playing?.row, this.more?.row].filter(Boolean);
  }

  get isOpen() {
    return Boolean(this.more || this.playing);
  }

  update(entry) {
    this.entry = entry;
    this.draw();
    this.more?.shown.update(entry);
    if (entry.recording.state !== "available") this.stop();
    return this;
  }

  draw() {
    const { entry, table } = this;
    const names = { caller: party(entry.caller).name, callee: party(entry.callee).name, at: clock(entry.placed_at) };
    this.chevron.setAttribute("aria-label", t("expand", names));
    this.line.classList.toggle("live", entry.phase !== "ended");
    for (const word of table.columns) {
      const [key, make] = CELLS[word](entry, table.me);
      put(this.cells[word], key, make);
      if (NUMBERS.has(word)) this.cells[word].classList.add("number");
    }
    this.drawButtons();
  }

  buttons() {
    this.comment = el("button", { type: "button", class: "tool", onclick: () => this.openComment() }, drawn("comment"));
    this.play = el("button", { type: "button", class: "tool", onclick: () => this.togglePlayer() }, drawn("play"));
    this.download = el("a", { class: "tool", role: "link", "aria-disabled": "true" }, drawn("download"));
    this.cells.actions.append(el("div", { class: "tools" }, this.comment, this.play, this.download));
  }

  drawButtons() {
    const { comment, recording, call_id } = this.entry;
    name(this.comment, comment ? t("comment_has", { text: comment.text }) : t("comment_write"));
    this.comment.classList.toggle("has", Boolean(comment));
    const there = recording.state === "available";
    const missing = t(recording.state === "deleted" ? "recording_deleted" : "no_recording");
    name(this.play, there ? t("play") : missing);
    name(this.download, there ? t("download") : missing);
    this.play.disabled = !there;
    this.play.classList.toggle("has", there);
    if (there === this.download.hasAttribute("href")) return;
    if (there) {
      this.download.href = `/api/v1/calls/${call_id}/recording?download=1`;
      this.download.setAttribute("download", "");
      this.download.removeAttribute("aria-disabled");
    } else {
      this.download.removeAttribute("href");
      this.download.setAttribute("aria-disabled", "true");
    }
  }

  /** A row that fits the filter no longer stays where it is, paler. */
  leave(is) {
    this.line.classList.toggle("left", is);
    this.line.title = is ? t("left_filter") : "";
  }

  toggle() {
    if (this.more) {
      this.more.row.remove();
      this.more = null;
    } else {
      const shown = details(this.entry, this.table.me, (comment) => this.say(comment));
      const row = el("tr", { role: "row", class: "more" }, el("td", { role: "cell", colspan: this.table.columns.length + 2 }, shown.element));
      this.more = { row, shown };
      this.nodes.at(-2).after(row);
    }
    this.chevron.setAttribute("aria-expanded", Boolean(this.more));
    this.line.classList.toggle("open", Boolean(this.more));
  }

  openComment() {
    if (this.entry.comment && !maySay(this.entry.comment, this.table.me)) return this.more ?? this.toggle();
    return writeComment(this.entry, (comment) => this.say(comment));
  }

  /** The call and its comment may have changed while somebody wrote: the table knows what they are now. */
  say(comment) {
    const current = this.table.known.get(this.entry.call_id);
    const isOlder = comment && current?.comment?.version > comment.version;
    if (current && !isOlder) this.table.change({ ...current, comment });
  }

  async togglePlayer() {
    if (this.playing) return this.stop();
    const { player } = await import("./player.js");
    if (this.playing || !this.line.isConnected) return undefined;
    this.table.quiet(this);
    const made = player(this.entry, this.table.me, () => {
      this.stop();
      this.play.focus();
    });
    const row = el("tr", { role: "row", class: "more" }, el("td", { role: "cell", colspan: this.table.columns.length + 2 }, made.element));
    this.playing = { row, made };
    this.line.after(row);
    made.begin();
    return undefined;
  }

  stop() {
    this.playing?.made.stop();
    this.playing?.row.remove();
    this.playing = null;
  }

  shut() {
    this.stop();
    if (this.more) this.toggle();
  }
}

function name(button, text) {
  if (button.title === text) return;
  button.title = text;
  button.setAttribute("aria-label", text);
}

const CELLS = {
  type: (entry, me) => [sideOf(entry, me), () => sideIcon(sideOf(entry, me))],
  status: (entry, me) => {
    const word = entry.phase === "talking" ? "talking" : entry.status;
    const icon = () => statusIcon(entry.status, sideOf(entry, me) === "internal" ? "outbound" : sideOf(entry, me));
    return [`${word} ${sideOf(entry, me)}`, () => el("span", { class: "state" }, icon(), el("span", { class: "word", "aria-hidden": "true" }, t(`short_${word}`)))];
  },
  caller: (entry) => who(entry.caller, entry.ended_by === "caller"),
  callee: (entry) => who(entry.callee, entry.ended_by === "callee"),
  talk: (entry) => {
    const seconds = talked(entry);
    const shown = seconds === null ? null : duration(seconds);
    return [shown ?? "none", () => shown ?? el("span", { class: "quiet", title: t("not_talked") }, t("none"))];
  },
  placed: (entry) => [entry.placed_at, () => [el("span", { class: "first" }, clock(entry.placed_at)), el("span", { class: "second" }, day(entry.placed_at))]],
  wait: (entry) => [`${entry.wait_seconds}`, () => (entry.wait_seconds === null ? t("none") : duration(entry.wait_seconds))],
  price: (entry) => {
    const { state, amount, currency } = entry.price;
    return [`${state} ${amount}`, () => (state === "priced" ? money(amount, currency) : el("span", { class: "quiet" }, state === "failed" ? "!" : t("none")))];
  },
  comment: (entry) => [entry.comment?.text ?? "", () => el("span", { class: "clip" }, entry.comment?.text ?? "")],
};

function talked(entry) {
  if (entry.talk_seconds !== null) return entry.talk_seconds;
  return entry.phase === "talking" && entry.answered_at ? (now() - Date.parse(entry.answered_at)) / 1000 : null;
}

function who(one, ended) {
  const shown = party(one);
  const make = () => [
    el("span", { class: "first" }, el("bdi", {}, unbroken(shown.name)), ended && endedMark()),
    shown.number && el("span", { class: "second" }, shown.number),
  ];
  return [JSON.stringify([shown, ended]), make];
}
