/** Errors of the API in the language of the page: by code and params, never by the English sentence. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate, translateErrors } from "../../web/lib/error_translation.js";
import { t, useMessages } from "../../web/lib/i18n.js";
import en from "../../web/messages/en.js";

useMessages("en", en);

test("a problem is translated by its code", () => {
  const problem = { code: "login_taken", params: { login: "olha" }, detail: "An English sentence." };
  assert.equal(translate(problem), t("problem_login_taken", { login: "olha" }));
  assert.match(translate(problem), /olha/);
});

test("a list among the params is written with commas", () => {
  assert.match(translate({ code: "not_a_choice", params: { choices: ["a", "b"] }, message: "" }), /a, b/);
});

test("an unknown code is translated by its status, else it keeps its text", () => {
  assert.equal(translate({ code: "new_code", detail: "Text.", status: 404 }), t("problem_not_found"));
  assert.equal(translate({ code: "new_code", detail: "Text.", status: 409 }), "Text.");
  assert.equal(translate({ status: 500 }), t("problem_failed"));
});

test("errors name the line of a file, the field and what is wrong", () => {
  const errors = {
    "17.number": [{ code: "required", params: {}, message: "" }],
    "": [{ code: "not_list", params: {}, message: "" }],
  };
  assert.deepEqual(translateErrors(errors), [
    `${t("on_line", { n: "17" })}, ${t("number")}: ${t("problem_required")}`,
    t("problem_not_list"),
  ]);
});
