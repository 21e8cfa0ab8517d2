/** The panel of filters and the choice of a period. */

import { addDays } from "../lib/calendar.js";
import { isLeader } from "../lib/calls.js";
import { allValues, firstValue, HAS_VALUES } from "../lib/filters.js";
import { isoDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { choice, field } from "./forms.js";
import { STATUS_NAMES, statusIcon } from "./icons.js";
import { operatorChoice } from "./people.js";

const PERIODS = ["today", "yesterday", "week", "month"];
const DIRECTIONS = ["inbound", "outbound", "internal"];
const INBOUND = new Set(["missed", "missed_offline", "returned", "answered", "connecting"]);

/** The panel. `apply(pairs)` is called after every change. */
export function filterPanel({ me, query, apply, people }) {
  const boxes = (name, values, label) => {
    const items = values.map((value) =>
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", name, value, checked: allValues(query, name).includes(value) }),
        label(value),
      ),
    );
    return items;
  };
  const group = (legend, ...content) => el("fieldset", {}, el("legend", {}, t(legend)), content);
  const input = (name, attributes) => el("input", { name, value: firstValue(query, name), ...attributes });
  const operator = isLeader(me) && operatorChoice(people, firstValue(query, "account"));

  const form = el(
    "form",
    { class: "filters card", "aria-label": t("filters"), id: "filters" },
    group(
      "direction",
      el(
        "div",
        { class: "checks" },
        boxes("direction", DIRECTIONS, (value) => t(`direction_${value}`)),
      ),
    ),
    group(
      "status",
      el(
        "div",
        { class: "checks statuses" },
        boxes("status", STATUS_NAMES, (value) => [
          statusIcon(value, INBOUND.has(value) ? "inbound" : "outbound"),
          el("span", { "aria-hidden": "true", title: t(`status_${value}`) }, t(`short_${value}`)),
        ]),
      ),
    ),
    group(
      "has",
      el(
        "div",
        { class: "checks" },
        boxes("has", HAS_VALUES, (value) => t(`has_${value}`)),
      ),
    ),
    el(
      "div",
      { class: "fields" },
      field(t("party"), input("party", { maxlength: 128 })),
      operator && field(t("operator"), operator),
      field(
        `${t("talk")}, ${t("min_talk").toLowerCase()}`,
        input("min_talk", { type: "number", min: 0, inputmode: "numeric", placeholder: "0" }),
      ),
      field(
        `${t("talk")}, ${t("max_talk").toLowerCase()}`,
        input("max_talk", { type: "number", min: 0, inputmode: "numeric", placeholder: "∞" }),
      ),
    ),
    el("button", { type: "button", class: "plain", onclick: () => apply([]) }, t("clear")),
  );
  const applyForm = () => {
    const others = query.filter(([name]) => ["period", "from", "to", "q"].includes(name));
    apply([...others, ...[...new FormData(form)].filter(([, value]) => value)]);
  };
  form.addEventListener("change", applyForm);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    applyForm();
  });
  return form;
}

/** The period: a named period, or a range of days. `apply(pairs)` gets only the pairs of the period. */
export function periodChoice(query, apply) {
  const [from, to] = [firstValue(query, "from"), firstValue(query, "to")];
  const custom = from || to;
  const select = choice(
    [["", t("period_all")], ...PERIODS.map((value) => [value, t(`period_${value}`)]), ["custom", t("period_custom")]],
    custom ? "custom" : firstValue(query, "period"),
    { name: "period", "aria-label": t("period") },
  );
  const dayOf = (value) => (value.length > 10 ? isoDay(value) : value);
  const holder = el("span");
  const showDays = async () => {
    const { dateRangePicker } = await import("./calendar.js");
    const last = to && addDays(dayOf(to), -1);
    holder.replaceChildren(
      dateRangePicker(dayOf(from), last, (first, end) =>
        apply([
          ["from", first],
          ["to", addDays(end)],
        ]),
      ),
    );
    return holder.querySelector("button");
  };
  if (custom) showDays();
  select.addEventListener("change", () => {
    if (select.value === "custom") showDays().then((button) => button.click());
    else apply(select.value ? [["period", select.value]] : []);
  });
  return el("div", { class: "period" }, select, holder);
}
