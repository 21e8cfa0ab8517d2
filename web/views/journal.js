/** Statistics → Call journal: everything, found and filtered, a page at a time; the address bar says which. */

import { address } from "../api.js";
import { firstValue, parseFilters, without } from "../lib/filters.js";
import { count } from "../lib/formats.js";
import { language, t } from "../lib/i18n.js";
import { debounce, el } from "./dom.js";
import { COLUMNS, DEFAULT_COLUMNS } from "./entries.js";
import { Feed } from "./feed.js";
import { panel, period } from "./filters.js";
import { choice, dropdown } from "./forms.js";
import { drawn } from "./icons.js";
import { peopleOf } from "./people.js";

const SIZES = ["25", "50", "100", "200", "10000"];
const KEPT_COLUMNS = "columns";
const KEPT_SIZE = "page_size";
const FORMATS = [
  ["xlsx", "Excel"],
  ["csv", "CSV"],
  ["ndjson", "NDJSON"],
];
const IN_PANEL = new Set(["direction", "status", "phase", "party", "account", "has", "min_talk", "max_talk"]);

let panelOpen = false;
let refocus = "";

export function journal(main, { me, go, query }) {
  const filters = parseFilters(query);
  const cursor = query.get("cursor");
  const size = [query.get("limit"), localStorage.getItem(KEPT_SIZE)].find((one) => SIZES.includes(one)) ?? "50";
  const people = peopleOf(me);
  const href = (pairs) => `/journal${pairs.length ? `?${new URLSearchParams(pairs)}` : ""}`;
  const apply = (pairs) => {
    refocus = selectorOf(document.activeElement);
    go(href(pairs), { keep: true });
  };
  const pager = el("nav", { class: "pager", "aria-label": t("pages") });
  const feed = new Feed({
    me,
    query: cursor ? [...filters, ["cursor", cursor]] : filters,
    limit: Number(size),
    columns: keptColumns(),
    onPage: (page) => {
      people.note(page.entries);
      pages(pager, page, (to) => go(href(to ? [...filters, ["cursor", to]] : filters)));
    },
    onChange: (entry) => people.note([entry]),
  });
  feed.goToFirstPage = () => go(href(filters));

  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("journal")), feed.pill),
    el(
      "div",
      { class: "toolbar", role: "search" },
      search(filters, apply),
      period(filters, (pairs) => apply([...without(filters, "period", "from", "to"), ...pairs])),
      filterButton(main, filters, () => panel({ me, query: filters, apply, people })),
      el("span", { class: "space" }),
      columnsChoice(feed),
      exportChoice(filters),
    ),
    feed.element,
    el(
      "div",
      { class: "between end" },
      sizeChoice(size, () => go(href(filters), { keep: true })),
      pager,
    ),
  );
  if (panelOpen) main.querySelector(".filter-button").click();
  if (refocus) main.querySelector(refocus)?.focus({ preventScroll: true });
  refocus = "";
  feed.begin();
  return () => feed.stop();
}

/** Keeps the focus where it was when the page is drawn again for a filter. */
function selectorOf({ name, type, value, className, ariaLabel }) {
  if (name) return `[name="${name}"]${type === "checkbox" ? `[value="${value}"]` : ""}`;
  if (ariaLabel) return `[aria-label="${CSS.escape(ariaLabel)}"]`;
  return className ? `.${className.split(" ").join(".")}` : "";
}

function search(filters, apply) {
  const value = firstValue(filters, "q");
  const input = el("input", {
    type: "search",
    class: "search",
    value,
    placeholder: t("search_hint"),
    "aria-label": t("search"),
    maxlength: 100,
  });
  const look = () => {
    const text = input.value.trim();
    if (text !== value) apply([...without(filters, "q"), ...(text ? [["q", text]] : [])]);
  };
  input.addEventListener(
    "input",
    debounce(350, () => input.isConnected && look()),
  );
  input.addEventListener("keydown", (event) => event.key === "Enter" && look());
  queueMicrotask(() => input.setSelectionRange(value.length, value.length));
  return el("div", { class: "search-box" }, drawn("search"), input);
}

function filterButton(main, filters, make) {
  const n = new Set(filters.filter(([name]) => IN_PANEL.has(name)).map(([name]) => name)).size;
  const button = el(
    "button",
    { type: "button", class: "plain filter-button", "aria-expanded": "false" },
    drawn("filter"),
    n ? t("filters_count", { n }) : t("filters"),
  );
  button.classList.toggle("has", n > 0);
  button.addEventListener("click", () => {
    const shown = main.querySelector("#filters");
    panelOpen = !shown;
    button.setAttribute("aria-expanded", panelOpen);
    if (shown) shown.remove();
    else button.closest(".toolbar").after(make());
  });
  return button;
}

function keptColumns() {
  const kept = (localStorage.getItem(KEPT_COLUMNS) ?? "").split(",").filter((word) => COLUMNS.includes(word));
  return kept.length ? kept : DEFAULT_COLUMNS;
}

function columnsChoice(feed) {
  const chosen = new Set(keptColumns());
  const box = el(
    "fieldset",
    { class: "box" },
    el("legend", { class: "hidden" }, t("columns")),
    COLUMNS.map((word) =>
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", value: word, checked: chosen.has(word) }),
        t(word),
      ),
    ),
  );
  box.addEventListener("change", (event) => {
    chosen[event.target.checked ? "add" : "delete"](event.target.value);
    if (!chosen.size) {
      chosen.add(event.target.value);
      event.target.checked = true;
    }
    const columns = COLUMNS.filter((word) => chosen.has(word));
    localStorage.setItem(KEPT_COLUMNS, columns.join(","));
    feed.table.useColumns(columns);
  });
  return dropdown(el("button", { type: "button", class: "plain" }, drawn("columns"), t("columns")), box);
}

function exportChoice(filters) {
  const link = ([format, label]) =>
    el(
      "a",
      {
        class: "row",
        download: true,
        "data-closes": true,
        href: address("/journal/export", [...filters, ["format", format], ["lang", language()]]),
      },
      label,
    );
  return dropdown(
    el("button", { type: "button", class: "plain" }, drawn("download"), t("export")),
    el("div", { class: "box" }, FORMATS.map(link)),
  );
}

function sizeChoice(size, changed) {
  const select = choice(
    SIZES.map((one) => [one, count(one)]),
    size,
    { "aria-label": t("page_size") },
  );
  select.addEventListener("change", () => {
    localStorage.setItem(KEPT_SIZE, select.value);
    changed();
  });
  return el("label", { class: "size" }, t("page_size"), select);
}

function pages(pager, page, turn) {
  const button = (word, icon, to) =>
    el(
      "button",
      { type: "button", class: "plain", disabled: !to, onclick: () => turn(to) },
      word === "newer" && drawn(icon),
      t(word),
      word === "older" && drawn(icon),
    );
  pager.replaceChildren(
    ...(page.previous_cursor
      ? [el("button", { type: "button", class: "plain", onclick: () => turn(null) }, t("first_page"))]
      : []),
    button("newer", "left", page.previous_cursor),
    button("older", "right", page.next_cursor),
  );
}
