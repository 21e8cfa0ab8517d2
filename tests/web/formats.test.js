/** Times, money, numbers and texts in both languages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as formats from "../../web/lib/formats.js";
import { has, t, useMessages } from "../../web/lib/i18n.js";
import en from "../../web/messages/en.js";
import uk from "../../web/messages/uk.js";

const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

function inLanguage(name, check) {
  useMessages(name, { uk, en }[name]);
  check();
}

test("both languages have the same keys and parameters", () => {
  const parameters = (message) => [...new Set(JSON.stringify(message).match(/\{\w+\}/g))].sort();
  assert.deepEqual(Object.keys(uk).sort(), Object.keys(en).sort());
  for (const key of Object.keys(uk)) assert.deepEqual(parameters(uk[key]), parameters(en[key]), key);
});

test("a plural form is chosen by the language", () => {
  inLanguage("uk", () =>
    assert.deepEqual(
      [1, 3, 5, 21].map((n) => t("new_calls", { n })),
      ["1 новий дзвінок", "3 нові дзвінки", "5 нових дзвінків", "21 новий дзвінок"],
    ),
  );
  inLanguage("en", () =>
    assert.deepEqual(
      [1, 2].map((n) => t("new_calls", { n })),
      ["1 new call", "2 new calls"],
    ),
  );
});

test("an unknown key is an error", () => {
  assert.equal(has("no_such_key"), false);
  assert.throws(() => t("no_such_key"), /no_such_key/);
});

test("times are shown in the company's zone", () => {
  formats.useZone("Europe/Kyiv");
  inLanguage("uk", () => assert.equal(formats.moment("2026-11-24T22:30:00Z"), "25.11.2026 00:30:00"));
  assert.equal(formats.isoDay("2026-11-24T22:30:00Z"), "2026-11-25");
  assert.equal(formats.brief("2026-11-24T22:00:00Z"), "25.11.2026");
});

test("a local time is converted to an instant, also on the days when clocks change", () => {
  formats.useZone("Europe/Kyiv");
  assert.equal(formats.instantOf("2026-11-24"), "2026-11-23T22:00:00.000Z");
  assert.equal(formats.instantOf("2026-03-29T12:00"), "2026-03-29T09:00:00.000Z");
  assert.equal(formats.instantOf("2026-10-25T12:00"), "2026-10-25T10:00:00.000Z");
});

test("a duration drops the fraction of a second and is never negative", () => {
  assert.equal(formats.duration(108.9), "00:01:48");
  assert.equal(formats.duration(3661), "01:01:01");
  assert.equal(formats.duration(-1), "00:00:00");
});

test("money keeps its digits and names the currency as the language does", () => {
  inLanguage("uk", () => assert.equal(plain(formats.money("1234.5", "UAH")), "1 234,50 грн"));
  inLanguage("en", () => assert.equal(plain(formats.money("0.123456", "USD")), "US$0.123456"));
  inLanguage("uk", () => assert.equal(plain(formats.difference("0.5", "UAH")), "+0,50 грн"));
});

test("only Ukrainian numbers are grouped; SIP addresses lose their scheme", () => {
  assert.equal(formats.phone("+380936297666"), "+38 (093) 629-76-66");
  assert.equal(formats.phone("+48221234567"), "+48221234567");
  assert.equal(formats.phone("sip:101@example.com"), "101@example.com");
});

test("a party without a name is named by its number", () => {
  assert.deepEqual(formats.party({ address: "101", name: "Ольга" }), { name: "Ольга", number: "101" });
  assert.deepEqual(formats.party({ address: "101" }), { name: "101", number: "" });
  inLanguage("en", () =>
    assert.deepEqual(formats.party({ kind: "withheld", address: "" }), { name: "Number withheld", number: "" }),
  );
});

test("the prefix of a rate is shown with its direction", () => {
  inLanguage("en", () =>
    assert.deepEqual(["outbound +38067", "inbound ", "+1"].map(formats.ratePrefix), [
      "Outbound, +38067",
      "Inbound, any",
      "+1",
    ]),
  );
});
