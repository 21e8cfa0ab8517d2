/** Days of the calendar, windows of long lists, waveforms, and the events of a stream. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, addMonths, mondaysOf } from "../../web/lib/calendar.js";
import { EventParser } from "../../web/lib/event_parser.js";
import { MAX_WHOLE_LIST, ROWS_AROUND, visibleRange } from "../../web/lib/list_window.js";
import { barHeights, WAVEFORM_HEIGHT } from "../../web/lib/waveform.js";

test("days are added across months and years", () => {
  assert.equal(addDays("2026-12-31"), "2027-01-01");
  assert.equal(addDays("2028-03-01", -1), "2028-02-29");
});

test("a month later is the last day where the month is shorter", () => {
  assert.equal(addMonths("2026-01-31", 1), "2026-02-28");
  assert.equal(addMonths("2026-03-15", -1), "2026-02-15");
  assert.equal(addMonths("2026-12-10", 1), "2027-01-10");
});

test("a calendar has the weeks that have days in the month", () => {
  assert.deepEqual(mondaysOf("2026-11-24"), [
    "2026-10-26",
    "2026-11-02",
    "2026-11-09",
    "2026-11-16",
    "2026-11-23",
    "2026-11-30",
  ]);
  assert.equal(mondaysOf("2027-02-01").length, 4);
});

test("a short list is drawn as a whole", () => {
  const view = { size: MAX_WHOLE_LIST, rowHeight: 50, hiddenAbove: 5000, screenHeight: 500 };
  assert.deepEqual(visibleRange(view), [0, MAX_WHOLE_LIST]);
});

test("of a long list the rows around the screen are drawn", () => {
  const view = { size: 10_000, rowHeight: 50, screenHeight: 500 };
  assert.deepEqual(visibleRange({ ...view, hiddenAbove: 50_000 }), [1000 - ROWS_AROUND, 1010 + ROWS_AROUND]);
  assert.deepEqual(visibleRange({ ...view, hiddenAbove: -100 }), [0, 8 + ROWS_AROUND]);
  assert.deepEqual(visibleRange({ ...view, hiddenAbove: 1e9 }), [10_000 - ROWS_AROUND, 10_000]);
});

test("the loudest part of a recording has the highest bar", () => {
  const heights = barHeights(Array.from({ length: 1600 }, (_, n) => (n === 800 ? 255 : 0)));
  assert.equal(heights.length, 160);
  assert.equal(heights[80], WAVEFORM_HEIGHT);
  assert.equal(new Set(heights).size, 2);
});

test("unknown peaks are a line of equal bars", () => {
  assert.equal(new Set(barHeights(null)).size, 1);
  assert.equal(new Set(barHeights([])).size, 1);
});

test("an event is complete only with its empty line", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('id: 7\nevent: entry\ndata: {"a"'), []);
  assert.deepEqual(parser.push(": 1}\n\nid: 8\n"), [{ id: "7", name: "entry", data: '{"a": 1}' }]);
  assert.deepEqual(parser.push("\n: comment\n\n"), [
    { id: "8", name: "", data: "" },
    { id: "", name: "", data: "" },
  ]);
});
