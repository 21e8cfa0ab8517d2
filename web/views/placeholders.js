/** Placeholders for lists that are empty, loading or failed. */

import { ApiError } from "../api.js";
import { translate, translateErrors } from "../lib/error_translation.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { drawn } from "./icons.js";

const MOST_SAID = 5;

export function emptyNote(icon, title, hint, ...actions) {
  return el("div", { class: "empty-note" }, drawn(icon), el("h2", {}, title), el("p", {}, hint), ...actions);
}

export function failureNote(error, retry) {
  const id = error.problem?.instance;
  return el(
    "div",
    { class: "empty-note failed", role: "alert" },
    drawn("warning"),
    el("h2", {}, t("error_title")),
    el("p", {}, errorText(error)),
    id && el("p", { class: "quiet" }, t("error_instance", { id: id.replace("urn:uuid:", "") })),
    el("button", { type: "button", class: "plain", onclick: () => retry() }, t("retry")),
  );
}

/** An error for people. What the fields say is more than the detail. */
export function errorText(error) {
  if (!(error instanceof ApiError)) return t("error_network");
  const summary = translate({ ...error.problem, status: error.status }) || t("error_server");
  return [summary, ...translateErrors(error.problem.errors ?? {}).slice(0, MOST_SAID)].join(" ");
}

/** Grey bars where rows will be. */
export function loadingBars(rows = 8) {
  const bars = Array.from({ length: rows }, () => el("div", { class: "bar" }));
  return el("div", { class: "loading-bars", role: "status", "aria-label": t("loading") }, bars);
}
