/** A range of days, chosen in a calendar. */

import { addDays, addMonths, mondaysOf, monthOf } from "../lib/calendar.js";
import { formatDay, isoDay, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { dropdown } from "./forms.js";
import { drawn } from "./icons.js";

const A_MONDAY = "2024-01-01";
const WEEK = [0, 1, 2, 3, 4, 5, 6];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS = { PageUp: -1, PageDown: 1 };

/** `from` and `to` are the first and the last day, `2026-11-24`, or "". `changed(from, to)` is called after a choice. */
export function days(from, to, changed) {
  const today = isoDay(Date.now());
  let [at, first] = [to || today, ""];
  const shown = from || to ? [from, to].map((day) => (day ? shortDay(day) : "…")).join(" – ") : t("days_choose");
  const button = el(
    "button",
    { type: "button", class: "plain days", title: t("days_choose") },
    drawn("calendar"),
    shown,
  );
  const box = el("div", { class: "box calendar", role: "group", "aria-label": t("days_choose") });
  const holder = dropdown(button, box);

  function draw() {
    const [begins, ends] = first ? [first, first] : [from, to || from];
    const day = (one) => {
      const kind = [
        one === begins || one === ends ? "edge" : "",
        one > begins && one < ends ? "within" : "",
        one === today ? "today" : "",
      ]
        .filter(Boolean)
        .join(" ");
      const about = {
        type: "button",
        class: kind,
        "data-day": one,
        tabindex: one === at ? 0 : -1,
        disabled: one > today,
        "aria-label": formatDay({ dateStyle: "full" }, one),
        "aria-pressed": String(one >= begins && one <= ends),
      };
      return el("td", {}, monthOf(one) === monthOf(at) && el("button", about, String(Number(one.slice(8)))));
    };
    const week = (monday) =>
      el(
        "tr",
        {},
        WEEK.map((n) => day(addDays(monday, n))),
      );
    box.replaceChildren(
      el(
        "div",
        { class: "between" },
        turn("left", "days_month_before", -1),
        el("b", { "aria-live": "polite" }, formatDay({ month: "long", year: "numeric" }, at)),
        turn("right", "days_month_after", 1),
      ),
      el("table", {}, el("thead", {}, el("tr", {}, WEEK.map(weekday))), el("tbody", {}, mondaysOf(at).map(week))),
      el("p", { class: "hint" }, t(first ? "days_last" : "days_first")),
    );
  }

  const turn = (icon, word, months) =>
    el(
      "button",
      {
        type: "button",
        class: "tool",
        title: t(word),
        "aria-label": t(word),
        disabled: months > 0 && monthOf(at) >= monthOf(today),
        onclick: () => go(addMonths(at, months), `[title="${t(word)}"]`),
      },
      drawn(icon),
    );

  function go(day, focus = "[tabindex='0']") {
    at = day > today ? today : day;
    draw();
    (box.querySelector(`${focus}:not(:disabled)`) ?? box.querySelector("[tabindex='0']")).focus();
  }

  button.addEventListener("click", () => {
    first = "";
    if (!box.hidden) go(to || today);
  });
  box.addEventListener("keydown", (event) => {
    const { day } = event.target.dataset;
    const next =
      day &&
      (event.key in STEPS
        ? addDays(day, STEPS[event.key])
        : event.key in MONTHS
          ? addMonths(day, MONTHS[event.key])
          : "");
    if (!next) return;
    event.preventDefault();
    go(next);
  });
  box.addEventListener("click", (event) => {
    // The clicked button is replaced, so a later handler would not find it in the box and would close the box.
    event.stopPropagation();
    const { day } = event.target.dataset;
    if (!day) return;
    if (first) {
      changed(...[first, day].sort());
      return;
    }
    first = day;
    go(day);
  });
  return holder;
}

const weekday = (n) =>
  el(
    "th",
    { scope: "col", abbr: formatDay({ weekday: "long" }, addDays(A_MONDAY, n)) },
    formatDay({ weekday: "short" }, addDays(A_MONDAY, n)),
  );
