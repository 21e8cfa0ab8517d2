/**
 * The table of calls. Rows change in place, so nothing moves while somebody reads. Of a long list only the rows around
 * the screen are drawn; spacer rows take the height of the others.
 */

import { isNewer } from "../lib/calls.js";
import { t } from "../lib/i18n.js";
import { MAX_WHOLE_LIST, visibleRange } from "../lib/list_window.js";
import { el } from "./dom.js";
import { Row } from "./row.js";

export const COLUMNS = ["type", "status", "caller", "callee", "talk", "placed", "wait", "price", "comment"];
export const DEFAULT_COLUMNS = COLUMNS.slice(0, 6);
/** The rows are drawn again after the reader has scrolled by more rows than this. */
const MIN_MOVED_ROWS = 15;
const DEFAULT_ROW_HEIGHT = 58;
/** More entries are requested when the end of the list is nearer than this number of screens. */
const SCREENS_AHEAD = 2;

export class Entries {
  /** `matches(entry)`: whether it matches the filter; `me`: the signed-in account; `onEndNear()`: the reader nears the end. */
  constructor({ me, columns = DEFAULT_COLUMNS, matches = () => true, onEndNear = () => {} }) {
    Object.assign(this, {
      me,
      columns,
      matches,
      onEndNear,
      ids: [],
      entries: new Map(),
      rows: new Map(),
      height: DEFAULT_ROW_HEIGHT,
      from: 0,
      to: 0,
    });
    this.above = spacer();
    this.below = spacer();
    this.body = el("tbody", { role: "rowgroup" }, this.above, this.below);
    this.head = el("tr", { role: "row" });
    this.element = el(
      "div",
      { class: "table journal" },
      el(
        "table",
        { role: "table" },
        el("caption", { class: "hidden" }, t("journal_caption")),
        el("thead", { role: "rowgroup" }, this.head),
        this.body,
      ),
    );
    this.drawHead();
    this.ticker = setInterval(() => this.tick(), 1000);
    this.scheduleScroll = () => (this.scrollFrame ??= requestAnimationFrame(() => this.onScroll()));
    addEventListener("scroll", this.scheduleScroll, { passive: true });
  }

  drawHead() {
    const heading = (column, hidden) =>
      el(
        "th",
        { scope: "col", role: "columnheader", class: column },
        hidden ? el("span", { class: "hidden" }, t(column)) : t(column),
      );
    this.head.replaceChildren(
      heading("details", true),
      ...this.columns.map((column) => heading(column)),
      heading("actions", true),
    );
  }

  useColumns(columns) {
    this.columns = columns;
    this.drawHead();
    this.clear();
    this.draw();
  }

  get size() {
    return this.ids.length;
  }

  /** Whether somebody reads details here or has the focus in the table. */
  get isInUse() {
    return this.hasOpenRow || this.body.contains(document.activeElement);
  }

  get hasOpenRow() {
    return [...this.rows.values()].some((row) => row.isOpen);
  }

  has = (id) => this.entries.has(id);

  get newest() {
    return this.entries.get(this.ids[0]);
  }

  get oldest() {
    return this.entries.get(this.ids.at(-1));
  }

  /** Show exactly these entries in this order; rows that stay keep their open details. */
  show(entries) {
    this.ids = entries.map((entry) => entry.call_id);
    this.entries = new Map(entries.map((entry) => [entry.call_id, entry]));
    for (const [id, row] of this.rows) {
      if (this.entries.has(id)) this.change(this.entries.get(id));
      else this.drop(id, row);
    }
    this.draw();
  }

  /** Add entries at the end. */
  append(entries) {
    for (const entry of entries) {
      if (this.entries.has(entry.call_id)) continue;
      this.entries.set(entry.call_id, entry);
      this.ids.push(entry.call_id);
    }
    this.draw();
    this.scheduleScroll();
  }

  /** Update an entry of the table. */
  change(entry) {
    this.entries.set(entry.call_id, entry);
    this.rows.get(entry.call_id)?.update(entry).markMismatch(!this.matches(entry));
  }

  /** Insert a new entry at its place in the order. */
  insert(entry) {
    const at = this.ids.findIndex((id) => isNewer(entry, this.entries.get(id)));
    this.ids.splice(at < 0 ? this.ids.length : at, 0, entry.call_id);
    this.entries.set(entry.call_id, entry);
    this.draw();
    this.rows.get(entry.call_id)?.line.classList.add("new");
  }

  /** The range of the list to draw: its first row and the one after its last. */
  visibleRange() {
    const hiddenAbove = -this.body.getBoundingClientRect().top;
    return visibleRange({ size: this.size, rowHeight: this.height, hiddenAbove, screenHeight: innerHeight });
  }

  draw([from, to] = this.visibleRange(), { measured = true } = {}) {
    Object.assign(this, { from, to });
    const visible = this.ids.slice(from, to);
    const wanted = new Set(visible);
    for (const [id, row] of this.rows) if (!wanted.has(id)) this.detach(id, row);
    let at = this.above.nextSibling;
    for (const id of visible) {
      const row = this.rows.get(id) ?? this.createRow(id);
      if (row.nodes[0] === at) at = row.nodes.at(-1).nextSibling;
      else for (const node of row.nodes) this.body.insertBefore(node, at);
    }
    if (measured && this.size > MAX_WHOLE_LIST) this.measure(visible);
    setHeight(this.above, from * this.height);
    setHeight(this.below, (this.size - to) * this.height);
  }

  createRow(id) {
    const row = new Row(this, this.entries.get(id));
    row.markMismatch(!this.matches(row.entry));
    this.rows.set(id, row);
    return row;
  }

  measure(visible) {
    const total = visible.reduce((sum, id) => sum + this.rows.get(id).line.offsetHeight, 0);
    if (total) this.height = total / visible.length;
  }

  /** Draw the rows that scrolling has made visible. */
  onScroll() {
    this.scrollFrame = null;
    const [from, to] = this.visibleRange();
    if (Math.abs(from - this.from) > MIN_MOVED_ROWS || Math.abs(to - this.to) > MIN_MOVED_ROWS)
      this.draw([from, to], { measured: false });
    if (this.element.getBoundingClientRect().bottom < SCREENS_AHEAD * innerHeight) this.onEndNear();
  }

  /** Remove a row from the document; an open row stays in memory. */
  detach(id, row) {
    for (const node of row.nodes) node.remove();
    if (!row.isOpen) this.rows.delete(id);
  }

  drop(id, row) {
    row.close();
    for (const node of row.nodes) node.remove();
    this.rows.delete(id);
  }

  clear() {
    for (const [id, row] of this.rows) this.drop(id, row);
  }

  tick() {
    for (const row of this.rows.values()) if (row.entry.phase === "talking") row.draw();
  }

  /** Stop all players but that of `except`. */
  stopPlayers(except) {
    for (const row of this.rows.values()) if (row !== except) row.stop();
  }

  stop() {
    clearInterval(this.ticker);
    removeEventListener("scroll", this.scheduleScroll);
    this.clear();
  }
}

const spacer = () =>
  el("tr", { class: "spacer", "aria-hidden": "true", hidden: true }, el("td", { colspan: COLUMNS.length + 2 }));

function setHeight(row, height) {
  row.hidden = height <= 0;
  row.firstChild.style.height = `${Math.max(0, height)}px`;
}
