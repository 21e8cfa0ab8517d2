/** A live page of the journal: the table, the button for new calls, the connection's state and the warnings. */

import { get, now } from "../api.js";
import { openEventStream } from "../event_stream.js";
import { FeedState } from "../lib/feed_state.js";
import { matches } from "../lib/filters.js";
import { isoDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { pause } from "../timing.js";
import { el, put, showToast } from "./dom.js";
import { Entries } from "./entries.js";
import { drawIcon } from "./icons.js";
import { emptyNote, errorText, failureNote, loadingBars } from "./placeholders.js";

/** The first page is requested after this time even if the stream is not open yet. */
const STREAM_WAIT_MS = 400;
/** A page scrolled by less than this counts as being at its top. */
const TOP_PIXELS = 80;
const CATCH_UP_MS = 500;
const MIN_SEARCH_INTERVAL_MS = 3000;
const CHECK_INTERVAL_MS = 15_000;
/** The margin by which a day begins later than by the clock, because the clock of the server may be behind. */
const DAY_MARGIN_MS = 3000;

const today = () => isoDay(now() - DAY_MARGIN_MS);

export class Feed {
  /**
   * `query` is a list of pairs, as in the API. `onPage(page)` is called after each page, `onChange(entry)` after
   * each change.
   */
  constructor({ me, query, limit, columns, onPage = () => {}, onChange = () => {} }) {
    Object.assign(this, {
      me,
      query,
      onPage,
      onChange,
      catchUpTimer: null,
      searchTimer: null,
      searchedAt: -Infinity,
      isStopped: false,
    });
    this.state = new FeedState(query, limit, today());
    this.table = new Entries({
      me,
      columns,
      matches: (entry) => matches(entry, query),
      onEndNear: () => this.loadNextPart(),
    });
    this.pill = el("span", { class: "pill" });
    this.banners = el("div", { class: "banners", role: "status" });
    this.newCalls = el("button", {
      type: "button",
      class: "new-calls",
      hidden: true,
      onclick: () => this.showNewCalls(),
    });
    this.container = el("div", {}, loadingBars());
    this.element = el(
      "div",
      { class: "feed" },
      this.banners,
      el("div", { class: "new-holder", "aria-live": "polite" }, this.newCalls),
      this.container,
    );
  }

  /** The day whose calls are shown, where the query has a period. */
  get day() {
    return this.state.day;
  }

  async begin() {
    this.stream = openEventStream(this.state.streamQuery, {
      onEntry: (entry) => this.receive(entry),
      onState: (state) => this.showConnection(state),
    });
    // The stream opens first: otherwise a change between the page and the stream would be in neither.
    const isOpen = await Promise.race([this.stream.ready.then(() => true), pause(STREAM_WAIT_MS)]);
    await this.load();
    if (!isOpen) this.stream.ready.then(() => this.load({ quiet: true }));
    this.checkTimer = setInterval(() => document.hidden || this.check(), CHECK_INTERVAL_MS);
  }

  /** Load the new day if the period has moved; otherwise ask which services are unavailable. */
  check() {
    if (this.state.isOutdated(today()) && this.isAtTop && !this.table.hasOpenRow) this.load({ quiet: true });
    else this.load({ quiet: true, fetchPage: () => get("/journal", [["limit", 1]]), use: () => {} });
  }

  /** Fetch a page and use it: `use(page, request)`. A quiet load shows no error. */
  async load({
    quiet = false,
    fetchPage = () => this.fetchPage(),
    use = (page, request) => this.show(page, request),
  } = {}) {
    if (this.isStopped) return;
    const request = this.state.beginRequest(today());
    try {
      const page = await fetchPage();
      if (this.isStopped) return;
      this.warn(page.degraded);
      use(page, request);
    } catch (error) {
      if (error.status === 401 || this.isStopped) return;
      if (!quiet && !this.state.page) put(this.container, error, () => failureNote(error, () => this.load()));
    } finally {
      this.state.endRequest(request);
    }
  }

  fetchPage(cursor) {
    return get("/journal", this.state.pageQuery(cursor));
  }

  /** The first page, and of a long list as many entries as are shown. */
  async fetchShownPages() {
    const wanted = Math.min(this.table.size, this.state.limit);
    const all = await this.fetchPage();
    while (all.next_cursor && all.entries.length < wanted) {
      const { entries, next_cursor } = await this.fetchPage(all.next_cursor);
      all.entries.push(...entries);
      all.next_cursor = next_cursor;
    }
    return all;
  }

  /** Append the next part of a list longer than a page. */
  async loadNextPart() {
    const cursor = this.state.nextPart(this.table.size);
    if (this.isLoadingPart || !cursor) return;
    this.isLoadingPart = true;
    const { page } = this.state;
    const request = this.state.beginRequest(today());
    try {
      const part = await this.fetchPage(cursor);
      if (this.isStopped || !this.state.acceptPart(part, page)) return;
      this.table.append(part.entries);
      for (const entry of request.changes.values()) this.apply(entry);
      this.onPage(this.state.page);
    } catch (error) {
      if (error.status !== 401) showToast(errorText(error), "bad");
    } finally {
      this.isLoadingPart = false;
      this.state.endRequest(request);
    }
  }

  show(page, request) {
    if (!this.state.acceptPage(page, request)) return;
    this.table.show(page.entries);
    this.drawNewCalls();
    for (const entry of request.changes.values()) this.apply(entry);
    this.drawContainer();
    this.onPage(page);
  }

  /** Draw the table, or a note in its place while it is empty. */
  drawContainer() {
    put(this.container, this.table.size ? "table" : "empty", () => {
      if (this.table.size) return this.table.element;
      return this.state.isFiltered
        ? emptyNote("search", t("empty_filter"), t("empty_filter_hint"))
        : emptyNote("journal", t("empty_journal"), t("empty_journal_hint"));
    });
  }

  /** Changes are collected and drawn once a frame. */
  receive(entry) {
    if (this.state.receive(entry)) requestAnimationFrame(() => this.applyPending());
    this.onChange(entry);
  }

  applyPending() {
    const entries = this.state.takePending();
    if (this.isStopped) return;
    for (const entry of entries) this.apply(entry);
    if (this.table.size) this.drawContainer();
  }

  apply(entry) {
    const { table } = this;
    const situation = {
      isKnown: table.has(entry.call_id),
      size: table.size,
      newest: table.newest,
      oldest: table.oldest,
      isUndisturbed: this.isUndisturbed,
    };
    const decision = this.state.decide(entry, situation);
    if (decision === "update") table.change(entry);
    if (decision === "insert") table.insert(entry);
    if (decision === "verify") this.scheduleSearch(entry.call_id);
    if (decision === "hold") {
      this.hold(entry.call_id);
      if (situation.isUndisturbed) this.catchUpTimer ??= setTimeout(() => this.catchUp(), CATCH_UP_MS);
    }
  }

  /** Whether an insert moves nothing that somebody reads. */
  get isUndisturbed() {
    return this.isAtTop && !this.table.isInUse;
  }

  get isAtTop() {
    return this.state.isFirstPage && scrollY < TOP_PIXELS;
  }

  /** Ask the server which of the new calls contain the text, not more often than the interval. */
  scheduleSearch(callId) {
    this.state.addUnverified(callId);
    this.searchTimer ??= setTimeout(
      () => this.searchAgain(),
      Math.max(CATCH_UP_MS, this.searchedAt + MIN_SEARCH_INTERVAL_MS - performance.now()),
    );
  }

  searchAgain() {
    const callIds = this.state.takeUnverified();
    Object.assign(this, { searchTimer: null, searchedAt: performance.now() });
    const newIds = ({ entries }) =>
      entries.map((entry) => entry.call_id).filter((id) => callIds.has(id) && !this.table.has(id));
    const use = (page, request) => {
      if (this.isUndisturbed) this.show(page, request);
      else for (const id of newIds(page)) this.hold(id);
    };
    this.load({ quiet: true, fetchPage: () => this.fetchPage(null), use });
  }

  catchUp() {
    this.catchUpTimer = null;
    if (this.isUndisturbed && this.state.heldCalls.size) this.load({ quiet: true });
  }

  hold(callId) {
    this.state.hold(callId);
    this.drawNewCalls();
  }

  drawNewCalls() {
    const n = this.state.heldCalls.size;
    this.newCalls.hidden = !n;
    put(this.newCalls, String(n), () => [drawIcon("up"), t("new_calls", { n })]);
  }

  async showNewCalls() {
    if (!this.state.isFirstPage) return this.goToFirstPage?.();
    await this.load({ quiet: true });
    scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    this.table.body.querySelector("button")?.focus({ preventScroll: true });
    return undefined;
  }

  showConnection(state) {
    this.pill.className = `pill ${state === "lost" ? "lost" : "live"}`;
    this.pill.textContent = t(state === "lost" ? "lost" : "live");
    if (state === "lost") showToast(t("lost"), "bad");
    if (state === "resumed") showToast(t("resumed"));
    if (state === "missed")
      this.load({ quiet: true, fetchPage: () => this.fetchShownPages() }).then(() => showToast(t("missed_some")));
  }

  warn(degraded) {
    put(this.banners, degraded.join(" "), () =>
      degraded.map((service) => el("p", { class: "banner" }, drawIcon("warning"), t(`degraded_${service}`))),
    );
  }

  stop() {
    this.isStopped = true;
    clearInterval(this.checkTimer);
    this.stream?.stop();
    this.table.stop();
  }
}
