/** Placeholders for lists that are empty, loading or failed. */

import { ApiError } from "../api.js";
import { translate, translateErrors } from "../lib/error_translation.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { drawIcon } from "./icons.js";

const MAX_FIELD_ERRORS = 5;

export function emptyNote(icon, title, hint, ...actions) {
  return el("div", { class: "empty-note" }, drawIcon(icon), el("h2", {}, title), el("p", {}, hint), ...actions);
}

export function failureNote(error, retry) {
  const id = error.problem?.instance;
  return el(
    "div",
    { class: "empty-note failed", role: "alert" },
    drawIcon("warning"),
    el("h2", {}, t("error_title")),
    el("p", {}, errorText(error)),
    id && el("p", { class: "quiet" }, t("error_instance", { id: id.replace("urn:uuid:", "") })),
    el("button", { type: "button", class: "plain", onclick: () => retry() }, t("retry")),
  );
}

/** The text of an error for the reader: its summary and its first field errors. */
export function errorText(error) {
  if (!(error instanceof ApiError)) return t("error_network");
  const summary = translate({ ...error.problem, status: error.status }) || t("error_server");
  return [summary, ...translateErrors(error.problem.errors ?? {}).slice(0, MAX_FIELD_ERRORS)].join(" ");
}

/** Grey bars in place of rows that are loading. */
export function loadingBars(rows = 8) {
  const bars = Array.from({ length: rows }, () => el("div", { class: "bar" }));
  return el("div", { class: "loading-bars", role: "status", "aria-label": t("loading") }, bars);
}
