/** A calendar to choose a range of days. */

import { addDays, addMonths, mondaysOf, monthOf } from "../lib/calendar.js";
import { formatDay, isoDay, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { dropdown } from "./forms.js";
import { drawIcon } from "./icons.js";

const ANY_MONDAY = "2024-01-01";
const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6];
const DAY_STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTH_STEPS = { PageUp: -1, PageDown: 1 };

/** `from` and `to` are the first and the last day, `2026-11-24`, or "". `onChange(from, to)` is called after a choice. */
export function dateRangePicker(from, to, onChange) {
  const today = isoDay(Date.now());
  let [focusedDay, first] = [to || today, ""];
  const label = from || to ? [from, to].map((day) => (day ? shortDay(day) : "…")).join(" – ") : t("days_choose");
  const button = el(
    "button",
    { type: "button", class: "plain days", title: t("days_choose") },
    drawIcon("calendar"),
    label,
  );
  const box = el("div", { class: "box calendar", role: "group", "aria-label": t("days_choose") });
  const holder = dropdown(button, box);

  function draw() {
    const [rangeStart, rangeEnd] = first ? [first, first] : [from, to || from];
    const day = (date) => {
      const classes = [
        date === rangeStart || date === rangeEnd ? "edge" : "",
        date > rangeStart && date < rangeEnd ? "within" : "",
        date === today ? "today" : "",
      ]
        .filter(Boolean)
        .join(" ");
      const attributes = {
        type: "button",
        class: classes,
        "data-day": date,
        tabindex: date === focusedDay ? 0 : -1,
        disabled: date > today,
        "aria-label": formatDay({ dateStyle: "full" }, date),
        "aria-pressed": String(date >= rangeStart && date <= rangeEnd),
      };
      return el(
        "td",
        {},
        monthOf(date) === monthOf(focusedDay) && el("button", attributes, String(Number(date.slice(8)))),
      );
    };
    const week = (monday) =>
      el(
        "tr",
        {},
        WEEKDAYS.map((n) => day(addDays(monday, n))),
      );
    box.replaceChildren(
      el(
        "div",
        { class: "between" },
        monthButton("left", "days_month_before", -1),
        el("b", { "aria-live": "polite" }, formatDay({ month: "long", year: "numeric" }, focusedDay)),
        monthButton("right", "days_month_after", 1),
      ),
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, WEEKDAYS.map(weekday))),
        el("tbody", {}, mondaysOf(focusedDay).map(week)),
      ),
      el("p", { class: "hint" }, t(first ? "days_last" : "days_first")),
    );
  }

  const monthButton = (icon, key, months) =>
    el(
      "button",
      {
        type: "button",
        class: "tool",
        title: t(key),
        "aria-label": t(key),
        disabled: months > 0 && monthOf(focusedDay) >= monthOf(today),
        onclick: () => go(addMonths(focusedDay, months), `[title="${t(key)}"]`),
      },
      drawIcon(icon),
    );

  function go(day, focus = "[tabindex='0']") {
    focusedDay = day > today ? today : day;
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
      (event.key in DAY_STEPS
        ? addDays(day, DAY_STEPS[event.key])
        : event.key in MONTH_STEPS
          ? addMonths(day, MONTH_STEPS[event.key])
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
      onChange(...[first, day].sort());
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
    { scope: "col", abbr: formatDay({ weekday: "long" }, addDays(ANY_MONDAY, n)) },
    formatDay({ weekday: "short" }, addDays(ANY_MONDAY, n)),
  );
