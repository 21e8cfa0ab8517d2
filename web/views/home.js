/** Home: the counters and the calls of the day, live. */

import { get } from "../api.js";
import { isLeader } from "../lib/calls.js";
import { count, longDay, share } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { debounce } from "../timing.js";
import { el } from "./dom.js";
import { Feed } from "./feed.js";

const MAX_ENTRIES = 20;
const COUNTERS = ["total", "inbound", "outbound", "missed"];

export function home(main, { me }) {
  const numbers = Object.fromEntries(COUNTERS.map((name) => [name, el("b", {}, "…")]));
  const notes = {
    total: el("small"),
    inbound: el("small"),
    outbound: el("small"),
    missed: el("small", {}, t("missed_note")),
  };
  const tile = (name) => {
    const href = {
      total: "/journal?period=today",
      missed: "/journal?period=today&status=missed&status=missed_offline",
    }[name];
    return el(
      "a",
      { class: `tile ${name}`, href: href ?? `/journal?period=today&direction=${name}` },
      el("span", {}, t(name)),
      numbers[name],
      notes[name],
    );
  };
  async function loadCounters() {
    const summary = await get("/journal/summary", { period: "today" });
    for (const name of COUNTERS) numbers[name].textContent = count(summary[name]);
    for (const name of ["inbound", "outbound"])
      notes[name].textContent = summary.total ? t("share_note", { share: share(summary[name] / summary.total) }) : "";
    notes.total.textContent = summary.internal ? t("internal_note", { n: summary.internal }) : "";
  }
  const seesCounters = isLeader(me);
  const refreshCounters = seesCounters ? debounce(400, () => loadCounters().catch(() => {})) : () => {};
  const date = el("p", { class: "quiet" });
  const showDay = (day) => {
    const label = `${t("today")}, ${longDay(day)}`;
    if (date.textContent && date.textContent !== label) refreshCounters();
    date.textContent = label;
  };
  const feed = new Feed({
    me,
    query: [["period", "today"]],
    limit: MAX_ENTRIES,
    onChange: refreshCounters,
    onPage: () => showDay(feed.day),
  });
  showDay(feed.day);

  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("home")), date),
    ...(seesCounters ? [el("section", { class: "tiles", "aria-label": t("today") }, COUNTERS.map(tile))] : []),
    el(
      "div",
      { class: "heading" },
      el("h2", {}, t("today_journal")),
      feed.pill,
      el("span", { class: "space" }),
      el("a", { href: "/journal" }, t("whole_journal")),
    ),
    feed.element,
  );
  if (seesCounters) loadCounters().catch(() => {});
  feed.begin();
  return () => feed.stop();
}
