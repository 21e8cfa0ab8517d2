/** The state machine of the live journal. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FeedState, MAX_EXTRA_ROWS, MAX_HELD_CALLS, MAX_PAGE_SIZE } from "../../web/lib/feed_state.js";
import { entry } from "./entries.js";

const TODAY = "2026-11-24";
const page = (entries = [], next_cursor = null) => ({ entries, next_cursor });

function loaded(query = [], { entries = [], next_cursor = null, limit = 50 } = {}) {
  const state = new FeedState(query, limit, TODAY);
  state.acceptPage(page(entries, next_cursor), state.beginRequest(TODAY));
  return state;
}

const situation = (changes = {}) => ({ isKnown: false, size: 0, isUndisturbed: true, ...changes });

test("a change of a call in the table updates it, even where it no longer matches the filter", () => {
  const state = loaded([["status", "ringing"]]);
  assert.equal(state.decide(entry({ status: "answered" }), situation({ isKnown: true })), "update");
});

test("a new call is inserted while nobody reads what would move", () => {
  assert.equal(loaded().decide(entry(), situation()), "insert");
});

test("a new call is held back while somebody reads", () => {
  assert.equal(loaded().decide(entry(), situation({ isUndisturbed: false })), "hold");
});

test("a new call is held back after another one, so that the order stays right", () => {
  const state = loaded();
  state.hold("1");
  assert.equal(state.decide(entry(), situation()), "hold");
});

test("a new call is held back when the table is full", () => {
  assert.equal(loaded().decide(entry(), situation({ size: 50 + MAX_EXTRA_ROWS })), "hold");
});

test("a call that does not match the filter is ignored", () => {
  assert.equal(loaded([["status", "missed"]]).decide(entry({ status: "answered" }), situation()), "ignore");
});

test("the server has to verify a new call of a text search", () => {
  const state = loaded([["q", "text"]]);
  assert.equal(state.decide(entry(), situation()), "verify");
  state.addUnverified("1");
  assert.deepEqual([...state.takeUnverified()], ["1"]);
  assert.equal(state.takeUnverified().size, 0);
});

test("a late call that belongs to a later page is ignored", () => {
  const bounds = {
    newest: entry({ placed_at: "2026-11-24T12:00:00Z" }),
    oldest: entry({ placed_at: "2026-11-24T11:00:00Z" }),
  };
  const late = entry({ placed_at: "2026-11-24T10:00:00Z" });
  assert.equal(loaded([], { next_cursor: "c" }).decide(late, situation(bounds)), "ignore");
  assert.equal(loaded([]).decide(late, situation(bounds)), "insert");
});

test("a page after a cursor takes only newer calls", () => {
  const state = loaded([["cursor", "c"]]);
  const bounds = {
    newest: entry({ placed_at: "2026-11-24T12:00:00Z" }),
    oldest: entry({ placed_at: "2026-11-24T11:00:00Z" }),
    isUndisturbed: false,
  };
  assert.equal(state.isFirstPage, false);
  assert.equal(state.decide(entry({ placed_at: "2026-11-24T11:30:00Z" }), situation(bounds)), "ignore");
  assert.equal(state.decide(entry({ placed_at: "2026-11-24T12:30:00Z" }), situation(bounds)), "hold");
});

test("only the first change of a frame requests the frame, and the last change of a call wins", () => {
  const state = loaded();
  assert.equal(state.receive(entry({ status: "ringing" })), true);
  assert.equal(state.receive(entry({ status: "answered" })), false);
  assert.deepEqual(
    state.takePending().map(({ status }) => status),
    ["answered"],
  );
  assert.deepEqual(state.takePending(), []);
});

test("changes before the first page are not drawn, but belong to its request", () => {
  const state = new FeedState([], 50, TODAY);
  const request = state.beginRequest(TODAY);
  state.receive(entry());
  assert.deepEqual(state.takePending(), []);
  assert.equal(request.changes.size, 1);
});

test("an earlier page does not replace a later one", () => {
  const state = new FeedState([], 50, TODAY);
  const [earlier, later] = [state.beginRequest(TODAY), state.beginRequest(TODAY)];
  assert.equal(state.acceptPage(page([entry()]), later), true);
  assert.equal(state.acceptPage(page(), earlier), false);
  assert.equal(state.page?.entries.length, 1);
});

test("a page releases the held calls and drops the pending changes", () => {
  const state = loaded();
  state.hold("1");
  state.receive(entry());
  state.acceptPage(page(), state.beginRequest(TODAY));
  assert.equal(state.heldCalls.size, 0);
  assert.deepEqual(state.takePending(), []);
});

test("changes after the end of a request do not belong to it", () => {
  const state = loaded();
  const request = state.beginRequest(TODAY);
  state.endRequest(request);
  state.receive(entry());
  assert.equal(request.changes.size, 0);
});

test("a part is appended only to the page for which it was requested", () => {
  const state = loaded([], { next_cursor: "a", limit: 1000 });
  const first = state.page;
  assert.equal(state.nextPart(100), "a");
  assert.equal(state.acceptPart(page([entry()], "b"), first), true);
  assert.equal(state.nextPart(200), "b");
  assert.equal(state.acceptPart(page(), first), false);
  assert.equal(state.nextPart(1000), null);
});

test("a list of one page has no next part", () => {
  assert.equal(loaded([], { next_cursor: "a" }).nextPart(50), null);
});

test("the number of held calls is limited", () => {
  const state = loaded();
  for (let n = 0; n < MAX_HELD_CALLS + 5; n++) state.hold(String(n));
  assert.equal(state.heldCalls.size, MAX_HELD_CALLS);
});

test("a period is outdated on another day; other filters never are", () => {
  assert.equal(loaded([["period", "today"]]).isOutdated("2026-11-25"), true);
  assert.equal(loaded([["period", "today"]]).isOutdated(TODAY), false);
  assert.equal(loaded([["from", TODAY]]).isOutdated("2026-11-25"), false);
});

test("the stream gets the filters that do not change during a call", () => {
  const state = loaded([
    ["direction", "inbound"],
    ["status", "missed"],
    ["q", "x"],
    ["cursor", "c"],
  ]);
  assert.deepEqual(state.streamQuery, [["direction", "inbound"]]);
});

test("a page is requested with its cursor and a limited size", () => {
  const state = loaded(
    [
      ["direction", "inbound"],
      ["cursor", "c"],
    ],
    { limit: 10_000 },
  );
  const size = ["limit", String(MAX_PAGE_SIZE)];
  assert.deepEqual(state.pageQuery(), [["direction", "inbound"], ["cursor", "c"], size]);
  assert.deepEqual(state.pageQuery(null), [["direction", "inbound"], size]);
});

test("a period alone is no filter for the note of an empty list", () => {
  assert.equal(loaded([["period", "today"]]).isFiltered, false);
  assert.equal(loaded([["status", "missed"]]).isFiltered, true);
});
