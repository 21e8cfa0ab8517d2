/** What the calls of a period cost together: by day, by operator, by prefix. */

import { get } from "../api.js";
import { addDays } from "../lib/calendar.js";
import { count, isoDay, money, ratePrefix, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { days } from "./calendar.js";
import { el } from "./dom.js";
import { choice } from "./forms.js";
import { further } from "./lists.js";
import { emptyNote, failureNote, loadingBars } from "./placeholders.js";

const WAYS = ["day", "operator", "prefix"];

export function report(main, { me, go, query }) {
  const today = isoDay(Date.now());
  const asked = {
    from: query.get("from") ?? `${today.slice(0, 8)}01`,
    to: query.get("to") ?? addDays(today),
    by: WAYS.includes(query.get("by")) ? query.get("by") : "day",
  };
  const place = el("div", {}, loadingBars(5));
  const ask = (changed) => go(`/report?${new URLSearchParams({ ...asked, ...changed })}`, { keep: true });
  const span = days(asked.from, addDays(asked.to, -1), (from, to) => ask({ from, to: addDays(to) }));
  const by = choice(
    WAYS.map((way) => [way, t(`report_by_${way}`)]),
    asked.by,
    { name: "by", "aria-label": t("report_by") },
  );
  by.addEventListener("change", () => ask({ by: by.value }));

  async function load() {
    try {
      place.replaceChildren(...shown(await get("/billing/report", asked), asked, me));
    } catch (error) {
      if (error.status !== 401) place.replaceChildren(failureNote(error, load));
    }
  }

  main.append(
    el("h1", {}, t("report_title")),
    el("div", { class: "toolbar" }, span, el("span", { class: "period" }, by)),
    place,
  );
  load();
}

function shown(told, asked, me) {
  if (!told.rows.length) return [emptyNote("report", t("report_empty"), t("report_empty_hint"))];
  const tile = (one) =>
    el(
      "div",
      { class: "tile" },
      el("span", {}, t("report_total")),
      el("b", {}, money(one.amount, one.currency)),
      el("small", {}, t("report_calls", { n: one.calls, calls: count(one.calls) })),
    );
  const dearest = Math.max(...told.rows.map((one) => Number(one.amount)), Number.MIN_VALUE);
  const rows = ({ rows }) => rows.map((one) => row(one, told.by, dearest, asked, me));
  const body = el("tbody", {}, rows(told));
  const add = async (cursor) => {
    const next = await get("/billing/report", { ...asked, cursor });
    body.append(...rows(next));
    return next.next_cursor;
  };
  return [el("div", { class: "tiles few" }, told.totals.map(tile)), table(told, body), further(told.next_cursor, add)];
}

function table(told, body) {
  const heading = (word, kind) => el("th", { scope: "col", class: kind }, t(word));
  return el(
    "div",
    { class: "table figures" },
    el(
      "table",
      {},
      el("caption", { class: "hidden" }, t("report_title")),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heading(`report_${told.by}`),
          heading("calls", "number"),
          heading("report_amount", "number"),
          el("td", { class: "share" }),
        ),
      ),
      body,
    ),
  );
}

function row(one, by, dearest, asked, me) {
  const bar = el("span", { class: "bar-of" });
  bar.style.width = `${Math.min(100, (100 * Number(one.amount)) / dearest)}%`;
  return el(
    "tr",
    {},
    el("td", { class: "first-cell" }, named(one, by, asked, me)),
    el("td", { class: "number", "data-label": t("calls") }, count(one.calls)),
    el("td", { class: "number", "data-label": t("report_amount") }, el("b", {}, money(one.amount, one.currency))),
    el("td", { class: "share", "aria-hidden": "true" }, bar),
  );
}

/** Whom or what a row is about; an administrator goes on to its calls. */
function named(one, by, { from, to }, me) {
  const words = {
    day: () => shortDay(one.day),
    operator: () => one.name ?? t("report_nobody"),
    prefix: () => ratePrefix(one.prefix),
  }[by]();
  const filter = {
    day: () => ({ from: one.day, to: addDays(one.day) }),
    operator: () => one.account_id && { account: one.account_id, from, to },
  }[by]?.();
  if (!filter || me.role !== "administrator") return el("bdi", {}, words);
  return el(
    "a",
    { href: `/journal?${new URLSearchParams({ ...filter, has: "price" })}`, title: t("account_calls") },
    el("bdi", {}, words),
  );
}
