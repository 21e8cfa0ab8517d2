/** The filters of the journal. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { allValues, firstValue, matches, parseFilters, without } from "../../web/lib/filters.js";
import { entry } from "./entries.js";

test("only known filters with a value are read from the address", () => {
  const parameters = new URLSearchParams("status=missed&status=returned&q=&cursor=c&unknown=1");
  assert.deepEqual(parseFilters(parameters), [
    ["status", "missed"],
    ["status", "returned"],
  ]);
});

test("values are found by name", () => {
  const query = [
    ["status", "missed"],
    ["status", "returned"],
    ["q", "x"],
  ];
  assert.deepEqual(allValues(query, "status"), ["missed", "returned"]);
  assert.equal(firstValue(query, "q"), "x");
  assert.equal(firstValue(query, "party"), "");
  assert.deepEqual(without(query, "status"), [["q", "x"]]);
});

for (const [title, query, changes, expected] of [
  ["no filter matches every call", [], {}, true],
  [
    "one of several statuses is enough",
    [
      ["status", "missed"],
      ["status", "answered"],
    ],
    {},
    true,
  ],
  ["another status does not match", [["status", "missed"]], {}, false],
  ["the phase is compared", [["phase", "talking"]], {}, false],
  [
    "every required part has to be there",
    [
      ["has", "price"],
      ["has", "comment"],
    ],
    {},
    false,
  ],
  ["a recording has to be available", [["has", "recording"]], { recording: { state: "deleted" } }, false],
  ["a call-back is a returned call", [["has", "callback"]], { status: "returned" }, true],
  ["a talk as long as the minimum matches", [["min_talk", "30"]], {}, true],
  ["a shorter talk does not match", [["min_talk", "31"]], {}, false],
  ["no talk is shorter than any minimum above zero", [["min_talk", "1"]], { talk_seconds: null }, false],
  ["a talk as long as the maximum matches", [["max_talk", "30"]], {}, true],
  ["a call without a talk has no maximum to keep", [["max_talk", "30"]], { talk_seconds: null }, false],
]) {
  test(title, () => assert.equal(matches(entry(changes), query), expected));
}
