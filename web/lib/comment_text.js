/** The limits of a comment. */

import { isLeader } from "./calls.js";

export const MAX_LENGTH = 200;

/**
 * Whether the account may change this comment; the server decides all the same.
 * @param {NonNullable<import("./filters.js").Entry["comment"]>} comment
 * @param {import("./calls.js").Me} me
 */
export const mayEdit = (comment, me) => isLeader(me) || comment.author.account_id === me.account.id;

/**
 * The length as the server counts it: code points after NFC normalisation.
 * @param {string} text
 */
export const lengthOf = (text) => [...text.normalize("NFC")].length;

/**
 * Shorten what was typed before the caret until the whole text fits. Returns the text and the new caret.
 * @param {string} text
 * @param {number} caret
 * @returns {[text: string, caret: number]}
 */
export function truncate(text, caret) {
  const before = [...text.slice(0, caret)];
  const after = text.slice(caret);
  while (before.length && lengthOf(before.join("") + after) > MAX_LENGTH) before.pop();
  const whole = before.join("") + after;
  const fits = lengthOf(whole) <= MAX_LENGTH;
  return [fits ? whole : [...whole.normalize("NFC")].slice(0, MAX_LENGTH).join(""), before.join("").length];
}
