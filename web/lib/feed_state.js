/**
 * The state machine of the live journal: which changes are applied, inserted, held back, checked or ignored. It knows
 * neither the document nor a clock; `views/feed.js` reports what happens and does what is decided here.
 */

import { matches } from "./filters.js";

export const MAX_PAGE_SIZE = 200;
/** How many rows above the page size live inserts may add. */
export const MAX_EXTRA_ROWS = 200;
export const MAX_HELD_CALLS = 999;
/**
 * Filters on what changes during a call. The stream is not asked to apply them, because it reports nothing about a call
 * that no longer matches.
 */
const CHANGING_FILTERS = new Set(["status", "phase", "q", "has", "min_talk", "max_talk", "limit", "cursor"]);

/**
 * @typedef {import("./filters.js").Entry} Entry
 * @typedef {import("./filters.js").Query} Query
 * @typedef {{ entries: Entry[], next_cursor: string | null, previous_cursor?: string | null, degraded?: string[] }} Page
 * @typedef {"update" | "ignore" | "verify" | "insert" | "hold"} Decision
 * @typedef {{ isKnown: boolean, size: number, newest?: Entry, oldest?: Entry, isUndisturbed: boolean }} Situation
 *   What the table shows: whether it has the call, its number of entries, its first and last entry, and whether an
 *   insert would move nothing that somebody reads.
 * @typedef {{ day: string, sequence: number, changes: Map<string, Entry> }} PageRequest
 *   A request that is under way, with the changes that have arrived since it began.
 */

export class FeedState {
  /**
   * @param {Query} query the filters as pairs, maybe with a cursor
   * @param {number} limit how many entries the reader wants
   * @param {string} day today in the company's time zone
   */
  constructor(query, limit, day) {
    this.query = query;
    this.limit = limit;
    this.day = day;
    this.cursor = query.find(([name]) => name === "cursor")?.[1] ?? null;
    this.isFirstPage = this.cursor === null;
    this.isSearch = query.some(([name]) => name === "q");
    this.hasPeriod = query.some(([name]) => name === "period");
    this.isFiltered = query.some(([name]) => name !== "cursor" && name !== "limit" && name !== "period");
    /** @type {Page | null} */
    this.page = null;
    /** @type {Set<string>} */
    this.heldCalls = new Set();
    /** @type {Map<string, Entry>} */
    this.pending = new Map();
    /** @type {Set<string>} */
    this.unverified = new Set();
    /** @type {Set<PageRequest>} */
    this.requests = new Set();
    this.lastSequence = 0;
    this.shownSequence = 0;
  }

  /** The filters that the stream applies itself. */
  get streamQuery() {
    return this.query.filter(([name]) => !CHANGING_FILTERS.has(name));
  }

  /**
   * The query of a page: of this one, or of the one after another cursor; null is the first page.
   * @param {string | null} cursor
   * @returns {Query}
   */
  pageQuery(cursor = this.cursor) {
    const filters = this.query.filter(([name]) => name !== "limit" && name !== "cursor");
    const size = String(Math.min(this.limit, MAX_PAGE_SIZE));
    return [...filters, ...(cursor ? [/** @type {[string, string]} */ (["cursor", cursor])] : []), ["limit", size]];
  }

  /**
   * Whether the period means other days than those shown.
   * @param {string} today
   */
  isOutdated(today) {
    return this.hasPeriod && this.day !== today;
  }

  /**
   * The cursor of the part to append to a list longer than one page, or null.
   * @param {number} size how many entries the table has
   */
  nextPart(size) {
    if (this.limit <= MAX_PAGE_SIZE || size >= this.limit) return null;
    return this.page?.next_cursor ?? null;
  }

  /**
   * Record changes from now on, because the response to this request may be older than they are.
   * @param {string} today
   * @returns {PageRequest}
   */
  beginRequest(today) {
    this.lastSequence += 1;
    const request = { day: today, sequence: this.lastSequence, changes: new Map() };
    this.requests.add(request);
    return request;
  }

  /** @param {PageRequest} request */
  endRequest(request) {
    this.requests.delete(request);
  }

  /**
   * Keep a change until the next frame. Returns whether it is the first one, so a frame has to be requested.
   * @param {Entry} entry
   */
  receive(entry) {
    const isFirst = this.pending.size === 0;
    this.pending.set(entry.call_id, entry);
    for (const request of this.requests) request.changes.set(entry.call_id, entry);
    return isFirst;
  }

  /** The changes since the last frame. Before the first page there is nothing to apply them to. */
  takePending() {
    const entries = [...this.pending.values()];
    this.pending.clear();
    return this.page ? entries : [];
  }

  /**
   * Replace the page unless a later request has been answered already. Pending changes are dropped: the page contains
   * them or something newer. The caller then applies `request.changes`.
   * @param {Page} page
   * @param {PageRequest} request
   */
  acceptPage(page, request) {
    if (request.sequence < this.shownSequence) return false;
    this.page = page;
    this.day = request.day;
    this.shownSequence = request.sequence;
    this.pending.clear();
    this.heldCalls.clear();
    return true;
  }

  /**
   * Take the next part of a long list, unless the page was replaced while it was requested.
   * @param {Page} part
   * @param {Page | null} follows the page for which it was requested
   */
  acceptPart(part, follows) {
    if (!this.page || this.page !== follows) return false;
    this.page = { ...this.page, entries: part.entries, next_cursor: part.next_cursor };
    return true;
  }

  /**
   * Decide what to do with a changed call.
   * @param {Entry} entry
   * @param {Situation} situation
   * @returns {Decision}
   */
  decide(entry, situation) {
    if (situation.isKnown) return "update";
    if (!this.belongsHere(entry, situation) || !matches(entry, this.query)) return "ignore";
    // Only the server knows which calls contain a text.
    if (this.isSearch) return "verify";
    const hasRoom = situation.size < this.limit + MAX_EXTRA_ROWS;
    return situation.isUndisturbed && !this.heldCalls.size && hasRoom ? "insert" : "hold";
  }

  /**
   * Whether a call that is not in the table is newer than the page, or belongs into the first page. Others are on other
   * pages.
   * @param {Entry} entry
   * @param {Pick<Situation, "newest" | "oldest">} situation
   */
  belongsHere(entry, { newest, oldest }) {
    if (!newest || !oldest) return true;
    if (!this.isFirstPage) return entry.placed_at >= newest.placed_at;
    return !this.page?.next_cursor || entry.placed_at >= oldest.placed_at;
  }

  /**
   * Count a new call that is not inserted.
   * @param {string} callId
   */
  hold(callId) {
    if (this.heldCalls.size < MAX_HELD_CALLS) this.heldCalls.add(callId);
  }

  /**
   * Remember a call about which the server has to be asked.
   * @param {string} callId
   */
  addUnverified(callId) {
    this.unverified.add(callId);
  }

  takeUnverified() {
    const callIds = this.unverified;
    this.unverified = new Set();
    return callIds;
  }
}
