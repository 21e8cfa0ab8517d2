/** One call in the table: its cells, its buttons, and the details and the player under it. */

import { now } from "../api.js";
import { sideOf, talkSeconds } from "../lib/calls.js";
import { mayEdit } from "../lib/comment_text.js";
import { clock, day, duration, money, party } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { openCommentDialog } from "./comment.js";
import { details } from "./details.js";
import { el, put, withUnbrokenPhones } from "./dom.js";
import { drawIcon, endedMark, sideIcon, statusIcon } from "./icons.js";

const NUMBERS = new Set(["talk", "placed", "wait", "price"]);

export class Row {
  constructor(table, entry) {
    Object.assign(this, { table, entry, more: null, playing: null });
    const cell = (column) =>
      el("td", { role: "cell", class: column, "data-label": table.columns.includes(column) && t(column) });
    this.cells = Object.fromEntries(["details", ...table.columns, "actions"].map((column) => [column, cell(column)]));
    this.line = el("tr", { role: "row", class: "call", "data-call": entry.call_id }, Object.values(this.cells));
    this.chevron = el(
      "button",
      { type: "button", class: "tool chevron", "aria-expanded": "false", onclick: () => this.toggle() },
      drawIcon("chevron"),
    );
    this.cells.details.append(this.chevron);
    this.addButtons();
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
    this.more?.details.update(entry);
    if (entry.recording.state !== "available") this.stop();
    return this;
  }

  draw() {
    const { entry, table } = this;
    const names = { caller: party(entry.caller).name, callee: party(entry.callee).name, at: clock(entry.placed_at) };
    this.chevron.setAttribute("aria-label", t("expand", names));
    this.line.classList.toggle("live", entry.phase !== "ended");
    for (const column of table.columns) {
      const [key, render] = CELLS[column](entry, table.me);
      put(this.cells[column], key, render);
      if (NUMBERS.has(column)) this.cells[column].classList.add("number");
    }
    this.drawButtons();
  }

  addButtons() {
    this.comment = el(
      "button",
      { type: "button", class: "tool", onclick: () => this.openComment() },
      drawIcon("comment"),
    );
    this.play = el("button", { type: "button", class: "tool", onclick: () => this.togglePlayer() }, drawIcon("play"));
    this.download = el("a", { class: "tool", role: "link", "aria-disabled": "true" }, drawIcon("download"));
    this.cells.actions.append(el("div", { class: "tools" }, this.comment, this.play, this.download));
  }

  drawButtons() {
    const { comment, recording, call_id } = this.entry;
    setName(this.comment, comment ? t("comment_has", { text: comment.text }) : t("comment_write"));
    this.comment.classList.toggle("has", Boolean(comment));
    const isAvailable = recording.state === "available";
    const missing = t(recording.state === "deleted" ? "recording_deleted" : "no_recording");
    setName(this.play, isAvailable ? t("play") : missing);
    setName(this.download, isAvailable ? t("download") : missing);
    this.play.disabled = !isAvailable;
    this.play.classList.toggle("has", isAvailable);
    if (isAvailable === this.download.hasAttribute("href")) return;
    if (isAvailable) {
      this.download.href = `/api/v1/calls/${call_id}/recording?download=1`;
      this.download.setAttribute("download", "");
      this.download.removeAttribute("aria-disabled");
    } else {
      this.download.removeAttribute("href");
      this.download.setAttribute("aria-disabled", "true");
    }
  }

  /** Mark a row that no longer matches the filter; it stays in its place. */
  markMismatch(isMismatch) {
    this.line.classList.toggle("mismatch", isMismatch);
    this.line.title = isMismatch ? t("left_filter") : "";
  }

  toggle() {
    if (this.more) {
      this.more.row.remove();
      this.more = null;
    } else {
      const opened = details(this.entry, this.table.me, (comment) => this.useComment(comment));
      const row = el(
        "tr",
        { role: "row", class: "more" },
        el("td", { role: "cell", colspan: this.table.columns.length + 2 }, opened.element),
      );
      this.more = { row, details: opened };
      this.nodes.at(-2).after(row);
    }
    this.chevron.setAttribute("aria-expanded", Boolean(this.more));
    this.line.classList.toggle("open", Boolean(this.more));
  }

  openComment() {
    if (this.entry.comment && !mayEdit(this.entry.comment, this.table.me)) return this.more ?? this.toggle();
    return openCommentDialog(this.entry, (comment) => this.useComment(comment));
  }

  /** Show a comment that was written here, unless the table has a newer one. */
  useComment(comment) {
    const current = this.table.entries.get(this.entry.call_id);
    const isOlder = comment && current?.comment?.version > comment.version;
    if (current && !isOlder) this.table.change({ ...current, comment });
  }

  async togglePlayer() {
    if (this.playing) return this.stop();
    const { player } = await import("./player.js");
    if (this.playing || !this.line.isConnected) return undefined;
    this.table.stopPlayers(this);
    const opened = player(this.entry, this.table.me, () => {
      this.stop();
      this.play.focus();
    });
    const row = el(
      "tr",
      { role: "row", class: "more" },
      el("td", { role: "cell", colspan: this.table.columns.length + 2 }, opened.element),
    );
    this.playing = { row, player: opened };
    this.line.after(row);
    opened.begin();
    return undefined;
  }

  stop() {
    this.playing?.player.stop();
    this.playing?.row.remove();
    this.playing = null;
  }

  close() {
    this.stop();
    if (this.more) this.toggle();
  }
}

function setName(button, text) {
  if (button.title === text) return;
  button.title = text;
  button.setAttribute("aria-label", text);
}

const CELLS = {
  type: (entry, me) => [sideOf(entry, me), () => sideIcon(sideOf(entry, me))],
  status: (entry, me) => {
    const key = entry.phase === "talking" ? "talking" : entry.status;
    const icon = () => statusIcon(entry.status, sideOf(entry, me) === "internal" ? "outbound" : sideOf(entry, me));
    return [
      `${key} ${sideOf(entry, me)}`,
      () =>
        el(
          "span",
          { class: "state" },
          icon(),
          el("span", { class: "status-text", "aria-hidden": "true" }, t(`short_${key}`)),
        ),
    ];
  },
  caller: (entry) => partyCell(entry.caller, entry.ended_by === "caller"),
  callee: (entry) => partyCell(entry.callee, entry.ended_by === "callee"),
  talk: (entry) => {
    const seconds = talkSeconds(entry, now());
    const text = seconds === null ? null : duration(seconds);
    return [text ?? "none", () => text ?? el("span", { class: "quiet", title: t("not_talked") }, t("none"))];
  },
  placed: (entry) => [
    entry.placed_at,
    () => [
      el("span", { class: "first" }, clock(entry.placed_at)),
      el("span", { class: "second" }, day(entry.placed_at)),
    ],
  ],
  wait: (entry) => [
    `${entry.wait_seconds}`,
    () => (entry.wait_seconds === null ? t("none") : duration(entry.wait_seconds)),
  ],
  price: (entry) => {
    const { state, amount, currency } = entry.price;
    return [
      `${state} ${amount}`,
      () =>
        state === "priced"
          ? money(amount, currency)
          : el("span", { class: "quiet" }, state === "failed" ? "!" : t("none")),
    ];
  },
  comment: (entry) => [entry.comment?.text ?? "", () => el("span", { class: "clip" }, entry.comment?.text ?? "")],
};

function partyCell(person, ended) {
  const label = party(person);
  const render = () => [
    el("span", { class: "first" }, el("bdi", {}, withUnbrokenPhones(label.name)), ended && endedMark()),
    label.number && el("span", { class: "second" }, label.number),
  ];
  return [JSON.stringify([label, ended]), render];
}
