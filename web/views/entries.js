/**
 * The table of calls: rows that change in place, so that nothing moves under the reader's eyes. Of a long list only
 * the rows around the screen are drawn; gaps as high as the others stand for them.
 */

import { el } from "./dom.js";
import { Row } from "./row.js";
import { t } from "../lib/i18n.js";

export const COLUMNS = ["type", "status", "caller", "callee", "talk", "placed", "wait", "price", "comment"];
export const USUAL = COLUMNS.slice(0, 6);
/** A list of so many is drawn whole; of a longer one so many rows above the screen and below it. */
const [WHOLE, AROUND] = [400, 40];
const MOVES = 15;
const USUAL_HEIGHT = 58;
const NEAR = 2;

/** By this the journal is ordered, newest first. */
const newer = (one, other) => (one.placed_at === other.placed_at ? one.call_id > other.call_id : one.placed_at > other.placed_at);
const between = (least, value, most) => Math.max(least, Math.min(value, most));

export class Entries {
  /** `fits(entry)`: whether it belongs here; `me`: who looks; `wants()`: the reader nears the end. */
  constructor({ me, columns = USUAL, fits = () => true, wants = () => {} }) {
    Object.assign(this, { me, columns, fits, wants, list: [], known: new Map(), rows: new Map(), height: USUAL_HEIGHT, from: 0, to: 0 });
    this.above = gap();
    this.below = gap();
    this.body = el("tbody", { role: "rowgroup" }, this.above, this.below);
    this.head = el("tr", { role: "row" });
    this.element = el(
      "div",
      { class: "table journal" },
      el("table", { role: "table" }, el("caption", { class: "hidden" }, t("journal_caption")), el("thead", { role: "rowgroup" }, this.head), this.body),
    );
    this.drawHead();
    this.ticking = setInterval(() => this.tick(), 1000);
    this.looks = () => (this.looking ??= requestAnimationFrame(() => this.look()));
    addEventListener("scroll", this.looks, { passive: true });
  }

  drawHead() {
    const heading = (word, hidden) => el("th", { scope: "col", role: "columnheader", class: word }, hidden ? el("span", { class: "hidden" }, t(word)) : t(word));
    this.head.replaceChildren(heading("details", true), ...this.columns.map((word) => heading(word)), heading("actions", true));
  }

  useColumns(columns) {
    this.columns = columns;
    this.drawHead();
    this.clear();
    this.draw();
  }

  get size() {
    return this.list.length;
  }

  /** Something in the table is open, so its reader is not to be disturbed. */
  get busy() {
    return this.opened || this.body.contains(document.activeElement);
  }

  get opened() {
    return [...this.rows.values()].some((row) => row.isOpen);
  }

  has = (id) => this.known.has(id);

  get newest() {
    return this.known.get(this.list[0]);
  }

  get oldest() {
    return this.known.get(this.list.at(-1));
  }

  /** Exactly these entries, in their order; rows that stay keep what is open in them. */
  show(entries) {
    this.list = entries.map((entry) => entry.call_id);
    this.known = new Map(entries.map((entry) => [entry.call_id, entry]));
    for (const [id, row] of this.rows) {
      if (this.known.has(id)) this.change(this.known.get(id));
      else this.drop(id, row);
    }
    this.draw();
  }

  /** These come after the others. */
  append(entries) {
    for (const entry of entries) {
      if (this.known.has(entry.call_id)) continue;
      this.known.set(entry.call_id, entry);
      this.list.push(entry.call_id);
    }
    this.draw();
    this.looks();
  }

  /** Change an entry that is there. */
  change(entry) {
    this.known.set(entry.call_id, entry);
    this.rows.get(entry.call_id)?.update(entry).leave(!this.fits(entry));
  }

  /** Put a new entry where it belongs. */
  insert(entry) {
    const at = this.list.findIndex((id) => newer(entry, this.known.get(id)));
    this.list.splice(at < 0 ? this.list.length : at, 0, entry.call_id);
    this.known.set(entry.call_id, entry);
    this.draw();
    this.rows.get(entry.call_id)?.line.classList.add("new");
  }

  /** Which of the list are drawn: its first, and the one after its last. */
  seen() {
    const { size } = this;
    if (size <= WHOLE) return [0, size];
    const beyond = -this.body.getBoundingClientRect().top;
    const first = Math.floor(beyond / this.height) - AROUND;
    const last = Math.ceil((beyond + innerHeight) / this.height) + AROUND;
    return [between(0, first, size - AROUND), between(AROUND, last, size)];
  }

  draw([from, to] = this.seen(), { measured = true } = {}) {
    Object.assign(this, { from, to });
    const drawn = this.list.slice(from, to);
    const wanted = new Set(drawn);
    for (const [id, row] of this.rows) if (!wanted.has(id)) this.away(id, row);
    let at = this.above.nextSibling;
    for (const id of drawn) {
      const row = this.rows.get(id) ?? this.made(id);
      if (row.nodes[0] === at) at = row.nodes.at(-1).nextSibling;
      else row.nodes.forEach((node) => this.body.insertBefore(node, at));
    }
    if (measured && this.size > WHOLE) this.measure(drawn);
    fill(this.above, from * this.height);
    fill(this.below, (this.size - to) * this.height);
  }

  made(id) {
    const row = new Row(this, this.known.get(id));
    row.leave(!this.fits(row.entry));
    this.rows.set(id, row);
    return row;
  }

  measure(drawn) {
    const high = drawn.reduce((sum, id) => sum + this.rows.get(id).line.offsetHeight, 0);
    if (high) this.height = high / drawn.length;
  }

  /** The reader has moved. */
  look() {
    this.looking = null;
    const [from, to] = this.seen();
    if (Math.abs(from - this.from) > MOVES || Math.abs(to - this.to) > MOVES) this.draw([from, to], { measured: false });
    if (this.element.getBoundingClientRect().bottom < NEAR * innerHeight) this.wants();
  }

  /** Off the screen; what is open in it stays so. */
  away(id, row) {
    row.nodes.forEach((node) => node.remove());
    if (!row.isOpen) this.rows.delete(id);
  }

  drop(id, row) {
    row.shut();
    row.nodes.forEach((node) => node.remove());
    this.rows.delete(id);
  }

  clear() {
    for (const [id, row] of this.rows) this.drop(id, row);
  }

  tick() {
    for (const row of this.rows.values()) if (row.entry.phase === "talking") row.draw();
  }

  /** One recording plays at a time. */
  quiet(but) {
    for (const row of this.rows.values()) if (row !== but) row.stop();
  }

  stop() {
    clearInterval(this.ticking);
    removeEventListener("scroll", this.looks);
    this.clear();
  }
}

const gap = () => el("tr", { class: "gap", "aria-hidden": "true", hidden: true }, el("td", { colspan: COLUMNS.length + 2 }));

function fill(gap, height) {
  gap.hidden = height <= 0;
  gap.firstChild.style.height = `${Math.max(0, height)}px`;
}
