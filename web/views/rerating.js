/** Calls of a period rated again, or what a tariff would make of them: begun, watched, and reported. */

import { ApiError, get, send } from "../api.js";
import { addDays } from "../lib/calendar.js";
import { brief, count, difference, instantOf, isoDay, minute, money, ratePrefix, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { days } from "./calendar.js";
import { el, pause } from "./dom.js";
import { choice, field, mark, openDialog } from "./forms.js";
import { further } from "./lists.js";
import { errorText, failureNote, loadingBars } from "./placeholders.js";

const ASKED_EACH = 1000;
const DAYS_BEFORE = 6;
const PARTS = ["total", "changed", "failed"];

export function rerating(main, { go, query }) {
  const id = query.get("id");
  const place = el("div", {}, id && loadingBars(3));
  const form = el("section", { class: "card" }, loadingBars(2));
  let gone = false;
  main.append(el("h1", {}, t("rerating")), el("p", { class: "lead" }, t("rerating_intro")), form, place);

  async function begin() {
    try {
      const [{ tariffs }, told] = await Promise.all([get("/tariffs", { limit: 200 }), id && get(`/rerating/${id}`)]);
      if (gone) return;
      form.replaceWith(asking(tariffs, told ?? wished(query), (begun) => go(`/rerating?id=${begun}`, { keep: true })));
      if (told) await watch(told, tariffs);
    } catch (error) {
      if (error.status !== 401) place.replaceChildren(failureNote(error, begin));
    }
  }

  async function watch(told, tariffs) {
    while (!gone) {
      place.replaceChildren(progress(told, tariffs));
      if (told.state === "done") return;
      await pause(ASKED_EACH);
      told = await get(`/rerating/${id}`).catch((error) =>
        error instanceof ApiError && error.status !== 503 ? Promise.reject(error) : told,
      );
    }
  }

  begin();
  return () => (gone = true);
}

/** The last week, with the tariff that was asked for. */
function wished(query) {
  const today = isoDay(Date.now());
  return {
    from: instantOf(addDays(today, -DAYS_BEFORE)),
    to: instantOf(addDays(today)),
    tariff: query.get("tariff"),
    dry_run: true,
  };
}

function asking(tariffs, told, begun) {
  let [first, last] = [isoDay(told.from), addDays(isoDay(told.to), -1)];
  const span = el("div", {}, el("p", { class: "label" }, t("period")));
  const offer = () =>
    span.lastChild.after(
      days(first, last, (...chosen) => {
        [first, last] = chosen;
        span.lastChild.remove();
        offer();
      }),
    );
  offer();
  const label = (one) => (one.state === "draft" ? t("rerating_draft", one) : one.name);
  const tariff = choice([["", t("rerating_own")], ...tariffs.map((one) => [one.id, label(one)])], told.tariff ?? "", {
    name: "tariff",
  });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const rate = el("button", { type: "button", class: "plain" }, t("rerating_do"));

  const begin = async (dry_run) => {
    const { id } = await send("POST", "/rerating", {
      from: instantOf(first),
      to: instantOf(addDays(last)),
      dry_run,
      ...(dry_run && tariff.value && { tariff: tariff.value }),
    });
    begun(id);
  };
  const allowed = () => (rate.disabled = Boolean(tariff.value));
  tariff.addEventListener("change", allowed);
  allowed();
  rate.addEventListener("click", () =>
    openDialog({
      title: t("rerating_sure"),
      content: [el("p", {}, t("rerating_sure_hint"))],
      action: t("rerating_do"),
      act: () => begin(false),
    }),
  );

  const form = el(
    "form",
    { class: "card asking" },
    span,
    field(t("rerating_tariff"), tariff),
    el("div", { class: "form-actions" }, el("button", { type: "submit", class: "main" }, t("rerating_try")), rate),
    wrong,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    try {
      await begin(true);
    } catch (error) {
      wrong.hidden = false;
      wrong.textContent = mark(form, error.problem?.errors ?? {}) || errorText(error);
    }
  });
  return form;
}

function progress(told, tariffs) {
  const { calls } = told;
  const tariff = tariffs.find((one) => one.id === told.tariff);
  const done = told.state === "done";
  const words = t("rerating_calls", { done: count(calls.done), n: calls.total, total: count(calls.total) });
  const bar = el("progress", { max: calls.total || 1, "aria-label": t("rerating_progress") });
  if (calls.total || done) bar.value = done ? bar.max : calls.done;
  const tile = (word) =>
    el("div", { class: "tile" }, el("span", {}, t(`rerating_${word}`)), el("b", {}, count(calls[word])));
  return el(
    "section",
    { class: "outcome", "aria-label": t("rerating_progress") },
    el(
      "div",
      { class: "heading" },
      el("h2", {}, t(told.dry_run ? "rerating_tried" : "rerating_done")),
      el("span", { class: `pill ${done ? "live" : "lost"}` }, t(done ? "rerating_ready" : "rerating_runs")),
    ),
    el(
      "p",
      { class: "quiet" },
      [span(told), tariff?.name, done && told.dry_run && t("rerating_kept")].filter(Boolean).join(" · "),
    ),
    el("div", { class: "between progress" }, bar, el("span", { role: "status" }, words)),
    el("div", { class: "tiles" }, PARTS.map(tile), told.totals.map(sum)),
    done && !calls.total && el("p", { class: "quiet" }, t("rerating_no_calls")),
    told.by_prefix.length > 0 && byPrefix(told),
  );
}

/** The days of a span, or its moments where it begins or ends within a day. */
const span = ({ from, to }) =>
  `${brief(from)} – ${minute(to) === "00:00" ? shortDay(addDays(isoDay(to), -1)) : brief(to)}`;

const sum = (one) =>
  el(
    "div",
    { class: "tile" },
    el("span", {}, t("rerating_difference")),
    el("b", {}, difference(one.difference, one.currency)),
    el(
      "small",
      {},
      t("rerating_from_to", { before: money(one.before, one.currency), after: money(one.after, one.currency) }),
    ),
  );

function byPrefix(told) {
  const heading = (word, kind) => el("th", { scope: "col", class: kind }, t(word));
  const amount = (one, word) =>
    el("td", { class: "number", "data-label": t(`rerating_${word}`) }, money(one[word], one.currency));
  const row = (one) =>
    el(
      "tr",
      {},
      el("td", { class: "first-cell" }, ratePrefix(one.prefix)),
      el("td", { class: "number", "data-label": t("calls") }, count(one.calls)),
      amount(one, "before"),
      amount(one, "after"),
      el(
        "td",
        { class: "number", "data-label": t("rerating_difference") },
        el("b", {}, difference(one.difference, one.currency)),
      ),
    );
  const body = el("tbody", {}, told.by_prefix.map(row));
  const add = async (cursor) => {
    const { by_prefix, next_cursor } = await get(`/rerating/${told.id}`, { cursor });
    body.append(...by_prefix.map(row));
    return next_cursor;
  };
  const table = el(
    "div",
    { class: "table figures" },
    el(
      "table",
      {},
      el("caption", { class: "hidden" }, t("rerating_by_prefix")),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heading("prefix"),
          ["calls", "rerating_before", "rerating_after", "rerating_difference"].map((word) => heading(word, "number")),
        ),
      ),
      body,
    ),
  );
  // While it runs the table is made anew each time.
  return [table, further(told.state === "done" && told.next_cursor, add)];
}
