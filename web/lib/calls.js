/** What a row of the journal is computed from. */

/**
 * @typedef {import("./filters.js").Entry} Entry
 * @typedef {{ account: { id?: string }, lines: { address: string }[], role: string }} Me The signed-in account.
 */

/** How long after its due time a price counts as late. */
const PRICE_MARGIN_MS = 5000;
const LEADERS = new Set(["administrator", "supervisor"]);

/**
 * Whether the account sees and changes what belongs to others.
 * @param {Pick<Me, "role">} me
 */
export const isLeader = (me) => LEADERS.has(me.role);

/**
 * The side of a call for its reader: an internal call is outbound for its caller and inbound for whom it reached.
 * @param {Entry} entry
 * @param {Me} me
 */
export function sideOf(entry, me) {
  if (entry.direction !== "internal") return entry.direction;
  if (entry.caller.account_id === me.account.id) return "outbound";
  const ownLines = new Set(me.lines.map((line) => line.address));
  const reached = [entry.callee.address, entry.answered_by?.address, ...entry.rung];
  return reached.some((address) => address !== undefined && ownLines.has(address)) ? "inbound" : "internal";
}

/**
 * Seconds of talk, of a call that goes on until `now`; null without a talk.
 * @param {Entry} entry
 * @param {number} now milliseconds
 */
export function talkSeconds(entry, now) {
  if (entry.talk_seconds !== null) return entry.talk_seconds;
  return entry.phase === "talking" && entry.answered_at ? (now - Date.parse(entry.answered_at)) / 1000 : null;
}

/**
 * Whether the price should have been there by `now`.
 * @param {Entry} entry
 * @param {number} now milliseconds
 */
export const isPriceLate = (entry, now) =>
  Boolean(entry.price.due_at) && now > Date.parse(entry.price.due_at ?? "") + PRICE_MARGIN_MS;

/**
 * Whether a call comes before another in the journal: newest first.
 * @param {Entry} entry
 * @param {Entry} other
 */
export const isNewer = (entry, other) =>
  entry.placed_at === other.placed_at ? entry.call_id > other.call_id : entry.placed_at > other.placed_at;
