/** A page of the journal that is alive: shown, kept up to date, and honest about when it is not. */

import { get, now } from "../api.js";
import { el, pause, put, say } from "./dom.js";
import { Entries } from "./entries.js";
import { fits } from "./filters.js";
import { isoDay } from "../lib/formats.js";
import { drawn } from "./icons.js";
import { listen } from "../event_stream.js";
import { failure, inWords, nothing, waiting } from "./placeholders.js";
import { t } from "../lib/i18n.js";

const PATIENCE = 400;
const AT_TOP = 80;
const MOST_BEYOND = 200;
const MOST_HELD = 999;
const LARGEST_PAGE = 200;
const CATCH_UP = 500;
const BETWEEN_LOOKS = 3000;
/** So much later a day begins here than at the server, whose clock may be behind. */
const LATE = 3000;
/**
 * What changes in a call's life is held against the filter here, or asked of the server: the stream says nothing of
 * what fits no longer.
 */
const OF_A_MOMENT = new Set(["status", "phase", "q", "has", "min_talk", "max_talk", "limit", "cursor"]);

const today = () => isoDay(now() - LATE);

export class Feed {
  /**
   * `query` is a list of pairs, as the API takes them. `shown(page)` is told of each page that is shown,
   * `changed(entry)` of each change.
   */
  constructor({ me, query, limit, columns, shown = () => {}, changed = () => {} }) {
    Object.assign(this, { me, query, limit, shown, changed, held: new Set(), waits: new Map(), loads: new Set(), catching: null, gone: false });
    Object.assign(this, { doubted: new Set(), looking: null, lookedAt: -Infinity, day: today(), turns: 0, turn: 0 });
    this.cursor = query.find(([name]) => name === "cursor")?.[1] ?? null;
    this.isFirst = !this.cursor;
    this.searched = query.some(([name]) => name === "q");
    this.ofDays = query.some(([name]) => name === "period");
    this.filtered = query.some(([name]) => name !== "cursor" && name !== "limit" && name !== "period");
    this.table = new Entries({ me, columns, fits: (entry) => fits(entry, query), wants: () => this.more() });
    this.pill = el("span", { class: "pill" });
    this.banners = el("div", { class: "banners", role: "status" });
    this.newer = el("button", { type: "button", class: "new-calls", hidden: true, onclick: () => this.showNew() });
    this.place = el("div", {}, waiting());
    this.element = el("div", { class: "feed" }, this.banners, el("div", { class: "new-holder", "aria-live": "polite" }, this.newer), this.place);
  }

  async begin() {
    const kept = this.query.filter(([name]) => !OF_A_MOMENT.has(name));
    this.live = listen(kept, { entry: (entry) => this.take(entry), state: (state) => this.tell(state) });
    // The stream first: what happens between the page and the stream would be told by neither.
    const inTime = await Promise.race([this.live.ready.then(() => true), pause(PATIENCE)]);
    await this.load();
    if (!inTime) this.live.ready.then(() => this.load({ quiet: true }));
    this.checking = setInterval(() => document.hidden || this.check(), 15_000);
  }

  /** Whether every owner is heard from; and once a day is over, what the period is now. */
  check() {
    if (this.ofDays && this.day !== today() && this.atTop && !this.table.opened) this.load({ quiet: true });
    else this.load({ quiet: true, ask: () => get("/journal", [["limit", 1]]), done: () => {} });
  }

  /** `done(page, since)` is given what `ask` answers, and what was taken meanwhile. */
  async load({ quiet = false, ask = () => this.page(), done = (...told) => this.show(...told) } = {}) {
    if (this.gone) return;
    const since = this.kept();
    try {
      const page = await ask();
      if (this.gone) return;
      this.warn(page.degraded);
      done(page, since);
    } catch (error) {
      if (error.status === 401 || this.gone) return;
      if (!quiet && !this.last) put(this.place, error, () => failure(error, () => this.load()));
    } finally {
      this.loads.delete(since);
    }
  }

  /** What is taken from now on, for an answer that may be older than it. */
  kept() {
    const since = Object.assign(new Map(), { day: today(), turn: ++this.turns });
    this.loads.add(since);
    return since;
  }

  /** A page of the journal: this one, or the one after another cursor, null being before the first. */
  page(cursor = this.cursor) {
    const query = this.query.filter(([name]) => name !== "limit" && name !== "cursor");
    return get("/journal", [...query, ...(cursor ? [["cursor", cursor]] : []), ["limit", Math.min(this.limit, LARGEST_PAGE)]]);
  }

  /** The first page, and of a long list more, until there are so many. */
  async pages(least) {
    const all = await this.page();
    while (all.next_cursor && all.entries.length < Math.min(least, this.limit)) {
      const { entries, next_cursor } = await this.page(all.next_cursor);
      all.entries.push(...entries);
      all.next_cursor = next_cursor;
    }
    return all;
  }

  /** Of a list longer than a page the next one, once the reader nears the end. */
  async more() {
    if (this.asking || !this.last?.next_cursor || this.limit <= LARGEST_PAGE || this.table.size >= this.limit) return;
    this.asking = true;
    const { last } = this;
    const since = this.kept();
    try {
      const { entries, next_cursor } = await this.page(last.next_cursor);
      if (this.gone || this.last !== last) return;
      this.last = { ...last, entries, next_cursor };
      this.table.append(entries);
      for (const entry of since.values()) this.apply(entry);
      this.shown(this.last);
    } catch (error) {
      if (error.status !== 401) say(inWords(error), "bad");
    } finally {
      this.asking = false;
      this.loads.delete(since);
    }
  }

  /** A page, and what was taken `since` it was asked for. One that was asked for later may be there already. */
  show(page, since) {
    if (since.turn < this.turn) return;
    Object.assign(this, { last: page, day: since.day, turn: since.turn });
    // What was taken before and not drawn yet, the page knows already, and maybe more of it.
    this.waits.clear();
    this.table.show(page.entries);
    this.hold(null);
    for (const entry of since.values()) this.apply(entry);
    this.rest();
    this.shown(page);
  }

  /** The table, or what stands in its place when there is nothing in it. */
  rest() {
    put(this.place, this.table.size ? "table" : "empty", () => {
      if (this.table.size) return this.table.element;
      return this.filtered ? nothing("search", t("empty_filter"), t("empty_filter_hint")) : nothing("journal", t("empty_journal"), t("empty_journal_hint"));
    });
  }

  /** Changes are gathered and drawn once a frame, however many there are. */
  take(entry) {
    if (!this.waits.size) requestAnimationFrame(() => this.draw());
    this.waits.set(entry.call_id, entry);
    for (const since of this.loads) since.set(entry.call_id, entry);
    this.changed(entry);
  }

  draw() {
    const entries = [...this.waits.values()];
    this.waits.clear();
    if (this.gone || !this.last) return;
    for (const entry of entries) this.apply(entry);
    if (this.table.size) this.rest();
  }

  apply(entry) {
    if (this.table.has(entry.call_id)) return this.table.change(entry);
    if (!this.concerns(entry) || !fits(entry, this.query)) return undefined;
    if (this.searched) return this.doubt(entry.call_id);
    if (this.calm && !this.held.size && this.table.size < this.limit + MOST_BEYOND) return this.table.insert(entry);
    this.hold(entry.call_id);
    if (this.calm) this.catching ??= setTimeout(() => this.catchUp(), CATCH_UP);
    return undefined;
  }

  /** Whether a call that is not here yet came since, or late into what the first page shows; others are on other pages. */
  concerns(entry) {
    const { newest, oldest } = this.table;
    if (!newest) return true;
    return this.isFirst ? !this.last.next_cursor || entry.placed_at >= oldest.placed_at : entry.placed_at >= newest.placed_at;
  }

  /** Nobody reads what would be moved. */
  get calm() {
    return this.atTop && !this.table.busy;
  }

  get atTop() {
    return this.isFirst && scrollY < AT_TOP;
  }

  /** Only the server knows in which calls a text is found: it is asked of those that came, and not too often. */
  doubt(id) {
    this.doubted.add(id);
    this.looking ??= setTimeout(() => this.lookUp(), Math.max(CATCH_UP, this.lookedAt + BETWEEN_LOOKS - performance.now()));
  }

  lookUp() {
    const { doubted } = this;
    Object.assign(this, { doubted: new Set(), looking: null, lookedAt: performance.now() });
    const found = ({ entries }) => entries.map((entry) => entry.call_id).filter((id) => doubted.has(id) && !this.table.has(id));
    const done = (page, since) => (this.calm ? this.show(page, since) : found(page).forEach((id) => this.hold(id)));
    this.load({ quiet: true, ask: () => this.page(null), done });
  }

  catchUp() {
    this.catching = null;
    if (this.calm && this.held.size) this.load({ quiet: true });
  }

  /** Keep a new call back, and say so; null: none is kept back any more. */
  hold(id) {
    if (id === null) this.held.clear();
    else if (this.held.size < MOST_HELD) this.held.add(id);
    const n = this.held.size;
    this.newer.hidden = !n;
    put(this.newer, String(n), () => [drawn("up"), t("new_calls", { n })]);
  }

  async showNew() {
    if (!this.isFirst) return this.first?.();
    await this.load({ quiet: true });
    scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    this.table.body.querySelector("button")?.focus({ preventScroll: true });
    return undefined;
  }

  tell(state) {
    this.pill.className = `pill ${state === "lost" ? "lost" : "live"}`;
    this.pill.textContent = t(state === "lost" ? "lost" : "live");
    if (state === "lost") say(t("lost"), "bad");
    if (state === "resumed") say(t("resumed"));
    if (state === "missed") this.load({ quiet: true, ask: () => this.pages(this.table.size) }).then(() => say(t("missed_some")));
  }

  warn(degraded) {
    put(this.banners, degraded.join(" "), () => degraded.map((owner) => el("p", { class: "banner" }, drawn("warning"), t(`degraded_${owner}`))));
  }

  stop() {
    this.gone = true;
    clearInterval(this.checking);
    this.live?.stop();
    this.table.stop();
  }
}
