/** Problems of the API in the language of the page: by code and params, never by the English sentence. */

import { has, t } from "./i18n.js";

const BY_STATUS = { 401: "session_ended", 403: "role_not_allowed", 404: "not_found", 503: "unavailable" };
/** The text of a problem or of a field error. A code that the page does not know keeps its English text. */
export function translate({ code, params = {}, message, detail, status }) {
  const key = [code, BY_STATUS[status], status >= 500 && "failed"].map((name) => `problem_${name}`).find(has);
  return key ? t(key, Object.fromEntries(Object.entries(params).map(([name, value]) => [name, text(value)]))) : (message ?? detail ?? "");
}

/** The field errors of a problem, a sentence for each path; the paths of a file begin with the line. */
export function translateErrors(errors) {
  return Object.entries(errors).map(([path, ofPath]) => {
    const place = placeOf(path);
    return `${place}${place && ": "}${ofPath.map(translate).join(" ")}`;
  });
}

function placeOf(path) {
  const [first, ...rest] = path.split(".");
  const line = /^\d+$/.test(first);
  return [line ? t("on_line", { n: first }) : named(first), ...rest.map(named)].filter(Boolean).join(", ");
}

function named(name) {
  if (/^\d+$/.test(name)) return String(Number(name) + 1);
  return has(name) ? t(name) : name;
}

const text = (value) => (Array.isArray(value) ? value.join(", ") : value);
