/** Which calls: the panel of filters, and whether a call that changes still fits them. */

import { el } from "./dom.js";
import { choice, field } from "./forms.js";
import { isoDay, nextDay } from "../lib/formats.js";
import { statusIcon, STATUS_NAMES } from "./icons.js";
import { operatorChoice } from "./people.js";
import { t } from "../lib/i18n.js";

export const NAMES = ["period", "from", "to", "direction", "status", "phase", "party", "account", "q", "has", "min_talk", "max_talk"];
const PERIODS = ["today", "yesterday", "week", "month"];
const DIRECTIONS = ["inbound", "outbound", "internal"];
const HAS = ["comment", "recording", "price", "callback"];
const INBOUND = new Set(["missed", "missed_offline", "returned", "answered", "connecting"]);

/** What of the address bar is a filter, as pairs. */
export const asked = (query) => [...query].filter(([name, value]) => NAMES.includes(name) && value);

/** Whether an entry fits what changes in a call's life; the stream has held the rest against the filter. */
export function fits(entry, query) {
  const all = (name) => query.filter(([one]) => one === name).map(([, value]) => value);
  const any = (name, value) => !all(name).length || all(name).includes(value);
  const talk = Number(entry.talk_seconds ?? 0);
  return (
    any("status", entry.status) &&
    any("phase", entry.phase) &&
    all("has").every((one) => HAVE[one](entry)) &&
    all("min_talk").every((least) => talk >= Number(least)) &&
    all("max_talk").every((most) => entry.talk_seconds !== null && talk <= Number(most))
  );
}

const HAVE = {
  comment: (entry) => entry.comment !== null,
  recording: (entry) => entry.recording.state === "available",
  price: (entry) => entry.price.state === "priced",
  callback: (entry) => entry.status === "returned",
};

/** The panel. `apply(pairs)` is told of every change. */
export function panel({ me, query, apply, people }) {
  const given = (name) => query.filter(([one]) => one === name).map(([, value]) => value);
  const one = (name) => given(name)[0] ?? "";
  const boxes = (name, values, label) => {
    const items = values.map((value) => el("label", { class: "check" }, el("input", { type: "checkbox", name, value, checked: given(name).includes(value) }), label(value)));
    return items;
  };
  const group = (legend, ...content) => el("fieldset", {}, el("legend", {}, t(legend)), content);
  const input = (name, about) => el("input", { name, value: one(name), ...about });
  const leads = me.role === "administrator" || me.role === "supervisor";
  const operator = leads && operatorChoice(people, one("account"));

  const form = el(
    "form",
    { class: "filters card", "aria-label": t("filters"), id: "filters" },
    group("direction", el("div", { class: "checks" }, boxes("direction", DIRECTIONS, (value) => t(`direction_${value}`)))),
    group("status", el("div", { class: "checks statuses" }, boxes("status", STATUS_NAMES, (value) => [statusIcon(value, INBOUND.has(value) ? "inbound" : "outbound"), el("span", { "aria-hidden": "true", title: t(`status_${value}`) }, t(`short_${value}`))]))),
    group("has", el("div", { class: "checks" }, boxes("has", HAS, (value) => t(`has_${value}`)))),
    el(
      "div",
      { class: "fields" },
      field(t("party"), input("party", { maxlength: 128 })),
      operator && field(t("operator"), operator),
      field(`${t("talk")}, ${t("min_talk").toLowerCase()}`, input("min_talk", { type: "number", min: 0, inputmode: "numeric", placeholder: "0" })),
      field(`${t("talk")}, ${t("max_talk").toLowerCase()}`, input("max_talk", { type: "number", min: 0, inputmode: "numeric", placeholder: "∞" })),
    ),
    el("button", { type: "button", class: "plain", onclick: () => apply([]) }, t("clear")),
  );
  const changed = () => {
    const kept = query.filter(([name]) => ["period", "from", "to", "q"].includes(name));
    apply([...kept, ...[...new FormData(form)].filter(([, value]) => value)]);
  };
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  return form;
}

/** The period: usual ones in a list, any other by its days. `apply(pairs)` gets the pairs of the period alone. */
export function period(query, apply) {
  const one = (name) => query.find(([known]) => known === name)?.[1] ?? "";
  const custom = one("from") || one("to");
  const select = choice(
    [["", t("period_all")], ...PERIODS.map((value) => [value, t(`period_${value}`)]), ["custom", t("period_custom")]],
    custom ? "custom" : one("period"),
    { name: "period", "aria-label": t("period") },
  );
  const dayOf = (value) => (value.length > 10 ? isoDay(value) : value);
  const holder = el("span");
  const offer = async () => {
    const { days } = await import("./calendar.js");
    const last = one("to") && nextDay(dayOf(one("to")), -1);
    holder.replaceChildren(days(dayOf(one("from")), last, (from, to) => apply([["from", from], ["to", nextDay(to)]])));
    return holder.querySelector("button");
  };
  if (custom) offer();
  select.addEventListener("change", () => {
    if (select.value === "custom") offer().then((button) => button.click());
    else apply(select.value ? [["period", select.value]] : []);
  });
  return el("div", { class: "period" }, select, holder);
}
