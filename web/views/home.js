/** Home: the day so far, live. */

import { get } from "../api.js";
import { isLeader } from "../lib/calls.js";
import { count, longDay, share } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { debounce, el } from "./dom.js";
import { Feed } from "./feed.js";

const SHOWN = 20;
const COUNTED = ["total", "inbound", "outbound", "missed"];

export function home(main, { me }) {
  const numbers = Object.fromEntries(COUNTED.map((word) => [word, el("b", {}, "…")]));
  const notes = {
    total: el("small"),
    inbound: el("small"),
    outbound: el("small"),
    missed: el("small", {}, t("missed_note")),
  };
  const tile = (word) => {
    const href = {
      total: "/journal?period=today",
      missed: "/journal?period=today&status=missed&status=missed_offline",
    }[word];
    return el(
      "a",
      { class: `tile ${word}`, href: href ?? `/journal?period=today&direction=${word}` },
      el("span", {}, t(word)),
      numbers[word],
      notes[word],
    );
  };
  async function loadCounters() {
    const summary = await get("/journal/summary", { period: "today" });
    for (const word of COUNTED) numbers[word].textContent = count(summary[word]);
    for (const word of ["inbound", "outbound"])
      notes[word].textContent = summary.total ? t("share_note", { share: share(summary[word] / summary.total) }) : "";
    notes.total.textContent = summary.internal ? t("internal_note", { n: summary.internal }) : "";
  }
  const leads = isLeader(me);
  const refreshCounters = leads ? debounce(400, () => loadCounters().catch(() => {})) : () => {};
  const date = el("p", { class: "quiet" });
  const begin = (day) => {
    const words = `${t("today")}, ${longDay(day)}`;
    if (date.textContent && date.textContent !== words) refreshCounters();
    date.textContent = words;
  };
  const feed = new Feed({
    me,
    query: [["period", "today"]],
    limit: SHOWN,
    onChange: refreshCounters,
    onPage: () => begin(feed.day),
  });
  begin(feed.day);

  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("home")), date),
    leads && el("section", { class: "tiles", "aria-label": t("today") }, COUNTED.map(tile)),
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
  if (leads) loadCounters().catch(() => {});
  feed.begin();
  return () => feed.stop();
}
