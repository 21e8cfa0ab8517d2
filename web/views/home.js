/** Home: the day so far, live. */

import { get } from "../api.js";
import { el, later } from "./dom.js";
import { Feed } from "./feed.js";
import { count, longDay, share } from "../lib/formats.js";
import { t } from "../lib/i18n.js";

const LEADERS = new Set(["administrator", "supervisor"]);
const SHOWN = 20;
const COUNTED = ["total", "inbound", "outbound", "missed"];

export function home(main, { me }) {
  const numbers = Object.fromEntries(COUNTED.map((word) => [word, el("b", {}, "…")]));
  const notes = { total: el("small"), inbound: el("small"), outbound: el("small"), missed: el("small", {}, t("missed_note")) };
  const tile = (word) => {
    const href = { total: "/journal?period=today", missed: "/journal?period=today&status=missed&status=missed_offline" }[word];
    return el("a", { class: `tile ${word}`, href: href ?? `/journal?period=today&direction=${word}` }, el("span", {}, t(word)), numbers[word], notes[word]);
  };
  async function counted() {
    const summary = await get("/journal/summary", { period: "today" });
    for (const word of COUNTED) numbers[word].textContent = count(summary[word]);
    for (const word of ["inbound", "outbound"]) notes[word].textContent = summary.total ? t("share_note", { share: share(summary[word] / summary.total) }) : "";
    notes.total.textContent = summary.internal ? t("internal_note", { n: summary.internal }) : "";
  }
  const leads = LEADERS.has(me.role);
  const counts = leads ? later(400, () => counted().catch(() => {})) : () => {};
  const date = el("p", { class: "quiet" });
  const begin = (day) => {
    const words = `${t("today")}, ${longDay(day)}`;
    if (date.textContent && date.textContent !== words) counts();
    date.textContent = words;
  };
  const feed = new Feed({ me, query: [["period", "today"]], limit: SHOWN, changed: counts, shown: () => begin(feed.day) });
  begin(feed.day);

  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("home")), date),
    leads && el("section", { class: "tiles", "aria-label": t("today") }, COUNTED.map(tile)),
    el("div", { class: "heading" }, el("h2", {}, t("today_journal")), feed.pill, el("span", { class: "space" }), el("a", { href: "/journal" }, t("whole_journal"))),
    feed.element,
  );
  if (leads) counted().catch(() => {});
  feed.begin();
  return () => feed.stop();
}
