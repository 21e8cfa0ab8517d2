/** Rerate the calls of a period, or preview another tariff: the form, the progress and the result. */

import { ApiError, get, send } from "../api.js";
import { addDays } from "../lib/calendar.js";
import { brief, count, difference, instantOf, isoDay, minute, money, ratePrefix, shortDay } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { pause } from "../timing.js";
import { dateRangePicker } from "./calendar.js";
import { el } from "./dom.js";
import { choice, field, openDialog, showFieldErrors } from "./forms.js";
import { moreButton } from "./lists.js";
import { errorText, failureNote, loadingBars } from "./placeholders.js";

const POLL_INTERVAL_MS = 1000;
const DEFAULT_DAYS_BACK = 6;
const COUNTERS = ["total", "changed", "failed"];

export function rerating(main, { go, query }) {
  const id = query.get("id");
  const container = el("div", {}, id && loadingBars(3));
  const form = el("section", { class: "card" }, loadingBars(2));
  let isStopped = false;
  main.append(el("h1", {}, t("rerating")), el("p", { class: "lead" }, t("rerating_intro")), form, container);

  async function begin() {
    try {
      const [{ tariffs }, run] = await Promise.all([get("/tariffs", { limit: 200 }), id && get(`/rerating/${id}`)]);
      if (isStopped) return;
      form.replaceWith(
        requestForm(tariffs, run ?? defaults(query), (runId) => go(`/rerating?id=${runId}`, { replace: true })),
      );
      if (run) await watch(run, tariffs);
    } catch (error) {
      if (error.status !== 401) container.replaceChildren(failureNote(error, begin));
    }
  }

  async function watch(run, tariffs) {
    while (!isStopped) {
      container.replaceChildren(progress(run, tariffs));
      if (run.state === "done") return;
      await pause(POLL_INTERVAL_MS);
      run = await get(`/rerating/${id}`).catch((error) =>
        error instanceof ApiError && error.status !== 503 ? Promise.reject(error) : run,
      );
    }
  }

  begin();
  return () => (isStopped = true);
}

/** The last week, and the tariff of the address. */
function defaults(query) {
  const today = isoDay(Date.now());
  return {
    from: instantOf(addDays(today, -DEFAULT_DAYS_BACK)),
    to: instantOf(addDays(today)),
    tariff: query.get("tariff"),
    dry_run: true,
  };
}

function requestForm(tariffs, run, onBegun) {
  let [first, last] = [isoDay(run.from), addDays(isoDay(run.to), -1)];
  const span = el("div", {}, el("p", { class: "label" }, t("period")));
  const drawPicker = () =>
    span.lastChild.after(
      dateRangePicker(first, last, (...range) => {
        [first, last] = range;
        span.lastChild.remove();
        drawPicker();
      }),
    );
  drawPicker();
  const label = (tariff) => (tariff.state === "draft" ? t("rerating_draft", tariff) : tariff.name);
  const tariff = choice([["", t("rerating_own")], ...tariffs.map((item) => [item.id, label(item)])], run.tariff ?? "", {
    name: "tariff",
  });
  const errorNote = el("p", { class: "field-error", role: "alert", hidden: true });
  const rate = el("button", { type: "button", class: "plain" }, t("rerating_do"));

  const begin = async (dry_run) => {
    const { id } = await send("POST", "/rerating", {
      from: instantOf(first),
      to: instantOf(addDays(last)),
      dry_run,
      ...(dry_run && tariff.value && { tariff: tariff.value }),
    });
    onBegun(id);
  };
  const updateRate = () => (rate.disabled = Boolean(tariff.value));
  tariff.addEventListener("change", updateRate);
  updateRate();
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
    { class: "card rerating-form" },
    span,
    field(t("rerating_tariff"), tariff),
    el("div", { class: "form-actions" }, el("button", { type: "submit", class: "main" }, t("rerating_try")), rate),
    errorNote,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    errorNote.hidden = true;
    try {
      await begin(true);
    } catch (error) {
      errorNote.hidden = false;
      errorNote.textContent = showFieldErrors(form, error.problem?.errors ?? {}) || errorText(error);
    }
  });
  return form;
}

function progress(run, tariffs) {
  const { calls } = run;
  const tariff = tariffs.find((item) => item.id === run.tariff);
  const done = run.state === "done";
  const text = t("rerating_calls", { done: count(calls.done), n: calls.total, total: count(calls.total) });
  const bar = el("progress", { max: calls.total || 1, "aria-label": t("rerating_progress") });
  if (calls.total || done) bar.value = done ? bar.max : calls.done;
  const tile = (key) =>
    el("div", { class: "tile" }, el("span", {}, t(`rerating_${key}`)), el("b", {}, count(calls[key])));
  return el(
    "section",
    { class: "outcome", "aria-label": t("rerating_progress") },
    el(
      "div",
      { class: "heading" },
      el("h2", {}, t(run.dry_run ? "rerating_tried" : "rerating_done")),
      el("span", { class: `pill ${done ? "live" : "lost"}` }, t(done ? "rerating_ready" : "rerating_runs")),
    ),
    el(
      "p",
      { class: "quiet" },
      [formatPeriod(run), tariff?.name, done && run.dry_run && t("rerating_kept")].filter(Boolean).join(" · "),
    ),
    el("div", { class: "between progress" }, bar, el("span", { role: "status" }, text)),
    el("div", { class: "tiles" }, COUNTERS.map(tile), run.totals.map(sum)),
    done && !calls.total && el("p", { class: "quiet" }, t("rerating_no_calls")),
    run.by_prefix.length > 0 && byPrefix(run),
  );
}

/** The days of a period, or its times where it begins or ends within a day. */
const formatPeriod = ({ from, to }) =>
  `${brief(from)} – ${minute(to) === "00:00" ? shortDay(addDays(isoDay(to), -1)) : brief(to)}`;

const sum = (total) =>
  el(
    "div",
    { class: "tile" },
    el("span", {}, t("rerating_difference")),
    el("b", {}, difference(total.difference, total.currency)),
    el(
      "small",
      {},
      t("rerating_from_to", { before: money(total.before, total.currency), after: money(total.after, total.currency) }),
    ),
  );

function byPrefix(run) {
  const heading = (key, kind) => el("th", { scope: "col", class: kind }, t(key));
  const amount = (row, key) =>
    el("td", { class: "number", "data-label": t(`rerating_${key}`) }, money(row[key], row.currency));
  const tableRow = (row) =>
    el(
      "tr",
      {},
      el("td", { class: "first-cell" }, ratePrefix(row.prefix)),
      el("td", { class: "number", "data-label": t("calls") }, count(row.calls)),
      amount(row, "before"),
      amount(row, "after"),
      el(
        "td",
        { class: "number", "data-label": t("rerating_difference") },
        el("b", {}, difference(row.difference, row.currency)),
      ),
    );
  const body = el("tbody", {}, run.by_prefix.map(tableRow));
  const add = async (cursor) => {
    const { by_prefix, next_cursor } = await get(`/rerating/${run.id}`, { cursor });
    body.append(...by_prefix.map(tableRow));
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
          ["calls", "rerating_before", "rerating_after", "rerating_difference"].map((key) => heading(key, "number")),
        ),
      ),
      body,
    ),
  );
  // Until the run is done the table is drawn again after each poll, so there are no further pages.
  return [table, moreButton(run.state === "done" && run.next_cursor, add)];
}
