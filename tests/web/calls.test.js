/** What a row of the journal is computed from, and the limits of a comment. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isNewer, isPriceLate, sideOf, talkSeconds } from "../../web/lib/calls.js";
import { lengthOf, MAX_LENGTH, mayEdit, truncate } from "../../web/lib/comment_text.js";
import { entry } from "./entries.js";

const ME = { account: { id: "me" }, lines: [{ address: "101" }], role: "operator" };
const NOON = Date.parse("2026-11-24T12:00:00Z");

test("an internal call is outbound for its caller and inbound for whom it reached", () => {
  const internal = entry({ direction: "internal" });
  assert.equal(sideOf({ ...internal, caller: { address: "102", account_id: "me" } }, ME), "outbound");
  assert.equal(sideOf(internal, ME), "inbound");
  assert.equal(sideOf({ ...internal, callee: { address: "200" }, rung: ["101"] }, ME), "inbound");
  assert.equal(sideOf({ ...internal, callee: { address: "200" } }, ME), "internal");
  assert.equal(sideOf(entry({ direction: "outbound" }), ME), "outbound");
});

test("the talk of a call that goes on lasts until now", () => {
  const talking = entry({ phase: "talking", talk_seconds: null, answered_at: "2026-11-24T11:59:30Z" });
  assert.equal(talkSeconds(talking, NOON), 30);
  assert.equal(talkSeconds(entry(), NOON), 30);
  assert.equal(talkSeconds(entry({ talk_seconds: null }), NOON), null);
});

test("a price is late some seconds after its due time", () => {
  const due = entry({ price: { state: "due", due_at: "2026-11-24T12:00:00Z" } });
  assert.equal(isPriceLate(due, NOON + 5000), false);
  assert.equal(isPriceLate(due, NOON + 5001), true);
  assert.equal(isPriceLate(entry(), NOON), false);
});

test("calls are ordered by time, then by id", () => {
  assert.equal(isNewer(entry({ placed_at: "2026-11-24T12:00:01Z" }), entry()), true);
  assert.equal(isNewer(entry({ call_id: "2" }), entry()), true);
  assert.equal(isNewer(entry(), entry()), false);
});

test("a comment may be edited by its author and by leaders", () => {
  const comment = (account_id) => ({ text: "", version: 1, author: { account_id } });
  assert.equal(mayEdit(comment("me"), ME), true);
  assert.equal(mayEdit(comment("other"), ME), false);
  assert.equal(mayEdit(comment("other"), { ...ME, role: "supervisor" }), true);
});

test("a letter of several code units or a combining mark counts once", () => {
  assert.equal(lengthOf("👍"), 1);
  assert.equal(lengthOf("и\u0306"), 1);
});

test("text typed in the middle is shortened before the caret", () => {
  const typed = `${"a".repeat(150)}${"b".repeat(100)}`;
  assert.deepEqual(truncate(typed, 150), [`${"a".repeat(100)}${"b".repeat(100)}`, 100]);
});

test("a text that fits stays", () => {
  assert.deepEqual(truncate("text", 2), ["text", 2]);
  assert.equal(lengthOf(truncate("c".repeat(300), 0)[0]), MAX_LENGTH);
});
