/** The days from one to another, chosen in a calendar. */

import { el } from "./dom.js";
import { drop } from "./forms.js";
import { isoDay, nextDay, written, writtenDay } from "../lib/formats.js";
import { drawn } from "./icons.js";
import { t } from "../lib/i18n.js";

const A_MONDAY = "2024-01-01";
const WEEK = [0, 1, 2, 3, 4, 5, 6];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS = { PageUp: -1, PageDown: 1 };

/** `from` and `to`: the first and the last day, as the API writes days, or "". `changed(from, to)` hears of a choice. */
export function days(from, to, changed) {
  const today = isoDay(Date.now());
  let [at, first] = [to || today, ""];
  const shown = from || to ? [from, to].map((day) => (day ? writtenDay(day) : "…")).join(" – ") : t("days_choose");
  const button = el("button", { type: "button", class: "plain days", title: t("days_choose") }, drawn("calendar"), shown);
  const box = el("div", { class: "box calendar", role: "group", "aria-label": t("days_choose") });
  const holder = drop(button, box);

  function draw() {
    const [begins, ends] = first ? [first, first] : [from, to || from];
    const day = (one) => {
      const kind = [one === begins || one === ends ? "edge" : "", one > begins && one < ends ? "within" : "", one === today ? "today" : ""].filter(Boolean).join(" ");
      const about = { type: "button", class: kind, "data-day": one, tabindex: one === at ? 0 : -1, disabled: one > today, "aria-label": written({ dateStyle: "full" }, one), "aria-pressed": String(one >= begins && one <= ends) };
      return el("td", {}, monthOf(one) === monthOf(at) && el("button", about, String(Number(one.slice(8)))));
    };
    const week = (monday) => el("tr", {}, WEEK.map((n) => day(nextDay(monday, n))));
    box.replaceChildren(
      el("div", { class: "between" }, turn("left", "days_month_before", -1), el("b", { "aria-live": "polite" }, written({ month: "long", year: "numeric" }, at)), turn("right", "days_month_after", 1)),
      el("table", {}, el("thead", {}, el("tr", {}, WEEK.map(weekday))), el("tbody", {}, mondays(at).map(week))),
      el("p", { class: "hint" }, t(first ? "days_last" : "days_first")),
    );
  }

  const turn = (icon, word, months) =>
    el("button", { type: "button", class: "tool", title: t(word), "aria-label": t(word), disabled: months > 0 && monthOf(at) >= monthOf(today), onclick: () => go(inMonths(at, months), `[title="${t(word)}"]`) }, drawn(icon));

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
    const next = day && (event.key in STEPS ? nextDay(day, STEPS[event.key]) : event.key in MONTHS ? inMonths(day, MONTHS[event.key]) : "");
    if (!next) return;
    event.preventDefault();
    go(next);
  });
  box.addEventListener("click", (event) => {
    // What was clicked is drawn anew: whoever looks for it later would find it elsewhere, and close the box.
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

const monthOf = (day) => day.slice(0, 7);
const weekday = (n) => el("th", { scope: "col", abbr: written({ weekday: "long" }, nextDay(A_MONDAY, n)) }, written({ weekday: "short" }, nextDay(A_MONDAY, n)));

/** The Mondays of the weeks that a month has days in. */
function mondays(day) {
  const first = `${monthOf(day)}-01`;
  const before = (new Date(first).getUTCDay() + 6) % 7;
  return [0, 1, 2, 3, 4, 5].map((n) => nextDay(first, 7 * n - before)).filter((monday) => monthOf(monday) <= monthOf(day));
}

/** The same day so many months on, or the last one of a shorter month. */
function inMonths(day, months) {
  const date = new Date(`${monthOf(day)}-01`);
  date.setUTCMonth(date.getUTCMonth() + months + 1, 0);
  const last = date.toISOString().slice(0, 10);
  return `${monthOf(last)}-${day.slice(8) < last.slice(8) ? day.slice(8) : last.slice(8)}`;
}
