/** The cost report of a period: by day, by operator, by prefix. */

import { get } from "../api.js";
import { addDays } from "../lib/calendar.js";
import { count, isoDay, money, ratePrefix, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { dateRangePicker } from "./calendar.js";
import { el } from "./dom.js";
import { choice } from "./forms.js";
import { moreButton } from "./lists.js";
import { emptyNote, failureNote, loadingBars } from "./placeholders.js";

const GROUPINGS = ["day", "operator", "prefix"];

export function report(main, { me, go, query }) {
  const today = isoDay(Date.now());
  const params = {
    from: query.get("from") ?? `${today.slice(0, 8)}01`,
    to: query.get("to") ?? addDays(today),
    by: GROUPINGS.includes(query.get("by")) ? query.get("by") : "day",
  };
  const container = el("div", {}, loadingBars(5));
  const change = (changes) => go(`/report?${new URLSearchParams({ ...params, ...changes })}`, { replace: true });
  const picker = dateRangePicker(params.from, addDays(params.to, -1), (from, to) => change({ from, to: addDays(to) }));
  const by = choice(
    GROUPINGS.map((grouping) => [grouping, t(`report_by_${grouping}`)]),
    params.by,
    { name: "by", "aria-label": t("report_by") },
  );
  by.addEventListener("change", () => change({ by: by.value }));

  async function load() {
    try {
      container.replaceChildren(...content(await get("/billing/report", params), params, me));
    } catch (error) {
      if (error.status !== 401) container.replaceChildren(failureNote(error, load));
    }
  }

  main.append(
    el("h1", {}, t("report_title")),
    el("div", { class: "toolbar" }, picker, el("span", { class: "period" }, by)),
    container,
  );
  load();
}

function content(response, params, me) {
  if (!response.rows.length) return [emptyNote("report", t("report_empty"), t("report_empty_hint"))];
  const tile = (total) =>
    el(
      "div",
      { class: "tile" },
      el("span", {}, t("report_total")),
      el("b", {}, money(total.amount, total.currency)),
      el("small", {}, t("report_calls", { n: total.calls, calls: count(total.calls) })),
    );
  const maxAmount = Math.max(...response.rows.map((row) => Number(row.amount)), Number.MIN_VALUE);
  const rows = ({ rows }) => rows.map((item) => tableRow(item, response.by, maxAmount, params, me));
  const body = el("tbody", {}, rows(response));
  const add = async (cursor) => {
    const next = await get("/billing/report", { ...params, cursor });
    body.append(...rows(next));
    return next.next_cursor;
  };
  return [
    el("div", { class: "tiles few" }, response.totals.map(tile)),
    table(response, body),
    moreButton(response.next_cursor, add),
  ];
}

function table(response, body) {
  const heading = (key, kind) => el("th", { scope: "col", class: kind }, t(key));
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
          heading(`report_${response.by}`),
          heading("calls", "number"),
          heading("report_amount", "number"),
          el("td", { class: "share" }),
        ),
      ),
      body,
    ),
  );
}

function tableRow(item, by, maxAmount, params, me) {
  const bar = el("span", { class: "bar-of" });
  bar.style.width = `${Math.min(100, (100 * Number(item.amount)) / maxAmount)}%`;
  return el(
    "tr",
    {},
    el("td", { class: "first-cell" }, label(item, by, params, me)),
    el("td", { class: "number", "data-label": t("calls") }, count(item.calls)),
    el("td", { class: "number", "data-label": t("report_amount") }, el("b", {}, money(item.amount, item.currency))),
    el("td", { class: "share", "aria-hidden": "true" }, bar),
  );
}

/** The day, operator or prefix of a row; for administrators a link to its calls. */
function label(item, by, { from, to }, me) {
  const text = {
    day: () => shortDay(item.day),
    operator: () => item.name ?? t("report_nobody"),
    prefix: () => ratePrefix(item.prefix),
  }[by]();
  const filter = {
    day: () => ({ from: item.day, to: addDays(item.day) }),
    operator: () => item.account_id && { account: item.account_id, from, to },
  }[by]?.();
  if (!filter || me.role !== "administrator") return el("bdi", {}, text);
  return el(
    "a",
    { href: `/journal?${new URLSearchParams({ ...filter, has: "price" })}`, title: t("account_calls") },
    el("bdi", {}, text),
  );
}
