/** The filters of the journal: reading them from the address, and matching a call against them. */

/**
 * @typedef {[name: string, value: string][]} Query
 * @typedef {{ kind?: string, address: string, name?: string | null, account_id?: string | null }} Party
 * @typedef {object} Entry A call as `GET /journal` returns it; the fields that the pure modules read.
 * @property {string} call_id
 * @property {string} placed_at
 * @property {string} status
 * @property {string} phase
 * @property {string} direction
 * @property {number | null} talk_seconds
 * @property {string | null} [answered_at]
 * @property {Party} caller
 * @property {Party} callee
 * @property {Party | null} [answered_by]
 * @property {string[]} rung
 * @property {{ text: string, version: number, author: { account_id: string } } | null} comment
 * @property {{ state: string }} recording
 * @property {{ state: string, due_at?: string | null }} price
 */

export const FILTER_NAMES = [
  "period",
  "from",
  "to",
  "direction",
  "status",
  "phase",
  "party",
  "account",
  "q",
  "has",
  "min_talk",
  "max_talk",
];

/** @type {Record<string, (entry: Entry) => boolean>} */
const HAS = {
  comment: (entry) => entry.comment !== null,
  recording: (entry) => entry.recording.state === "available",
  price: (entry) => entry.price.state === "priced",
  callback: (entry) => entry.status === "returned",
};
export const HAS_VALUES = Object.keys(HAS);

/**
 * The filters in the query of an address, as pairs.
 * @param {Iterable<[string, string]>} parameters
 * @returns {Query}
 */
export const parseFilters = (parameters) =>
  [...parameters].filter(([name, value]) => FILTER_NAMES.includes(name) && value);

/**
 * All values of a filter.
 * @param {Query} query
 * @param {string} name
 */
export const allValues = (query, name) => query.filter(([known]) => known === name).map(([, value]) => value);

/**
 * The first value of a filter, or "".
 * @param {Query} query
 * @param {string} name
 */
export const firstValue = (query, name) => allValues(query, name)[0] ?? "";

/**
 * The query without some filters.
 * @param {Query} query
 * @param {...string} names
 * @returns {Query}
 */
export const without = (query, ...names) => query.filter(([name]) => !names.includes(name));

/**
 * Whether an entry matches the filters on what changes during a call; the stream applies the others.
 * @param {Entry} entry
 * @param {Query} query
 */
export function matches(entry, query) {
  /** @param {string} name @param {string} value */
  const isAllowed = (name, value) => !allValues(query, name).length || allValues(query, name).includes(value);
  const talk = Number(entry.talk_seconds ?? 0);
  return (
    isAllowed("status", entry.status) &&
    isAllowed("phase", entry.phase) &&
    allValues(query, "has").every((part) => HAS[part]?.(entry) ?? true) &&
    allValues(query, "min_talk").every((seconds) => talk >= Number(seconds)) &&
    allValues(query, "max_talk").every((seconds) => entry.talk_seconds !== null && talk <= Number(seconds))
  );
}
