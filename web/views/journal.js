/** The call journal: search, filters, columns, export and pages; the address bar holds the filters. */

import { address } from "../api.js";
import { firstValue, parseFilters, without } from "../lib/filters.js";
import { count } from "../lib/formats.js";
import { language, t } from "../lib/i18n.js";
import { debounce } from "../timing.js";
import { el } from "./dom.js";
import { COLUMNS, DEFAULT_COLUMNS } from "./entries.js";
import { Feed } from "./feed.js";
import { filterPanel, periodChoice } from "./filters.js";
import { choice, dropdown } from "./forms.js";
import { drawIcon } from "./icons.js";
import { peopleOf } from "./people.js";

const PAGE_SIZES = ["25", "50", "100", "200", "10000"];
const COLUMNS_KEY = "columns";
const PAGE_SIZE_KEY = "page_size";
const FORMATS = [
  ["xlsx", "Excel"],
  ["csv", "CSV"],
  ["ndjson", "NDJSON"],
];
const PANEL_FILTERS = new Set(["direction", "status", "phase", "party", "account", "has", "min_talk", "max_talk"]);

let isPanelOpen = false;
let focusSelector = "";

export function journal(main, { me, go, query }) {
  const filters = parseFilters(query);
  const cursor = query.get("cursor");
  const size =
    [query.get("limit"), localStorage.getItem(PAGE_SIZE_KEY)].find((value) => PAGE_SIZES.includes(value)) ?? "50";
  const people = peopleOf(me);
  const href = (pairs) => `/journal${pairs.length ? `?${new URLSearchParams(pairs)}` : ""}`;
  const apply = (pairs) => {
    focusSelector = selectorOf(document.activeElement);
    go(href(pairs), { replace: true });
  };
  const pager = el("nav", { class: "pager", "aria-label": t("pages") });
  const feed = new Feed({
    me,
    query: cursor ? [...filters, ["cursor", cursor]] : filters,
    limit: Number(size),
    columns: storedColumns(),
    onPage: (page) => {
      people.add(page.entries);
      drawPager(pager, page, (to) => go(href(to ? [...filters, ["cursor", to]] : filters)));
    },
    onChange: (entry) => people.add([entry]),
  });
  feed.goToFirstPage = () => go(href(filters));

  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("journal")), feed.pill),
    el(
      "div",
      { class: "toolbar", role: "search" },
      search(filters, apply),
      periodChoice(filters, (pairs) => apply([...without(filters, "period", "from", "to"), ...pairs])),
      filterButton(main, filters, () => filterPanel({ me, query: filters, apply, people })),
      el("span", { class: "space" }),
      columnsChoice(feed),
      exportChoice(filters),
    ),
    feed.element,
    el(
      "div",
      { class: "between end" },
      sizeChoice(size, () => go(href(filters), { replace: true })),
      pager,
    ),
  );
  if (isPanelOpen) main.querySelector(".filter-button").click();
  if (focusSelector) main.querySelector(focusSelector)?.focus({ preventScroll: true });
  focusSelector = "";
  feed.begin();
  return () => feed.stop();
}

/** A selector of the focused element, to restore the focus after the page is drawn again for a filter. */
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
  const applyText = () => {
    const text = input.value.trim();
    if (text !== value) apply([...without(filters, "q"), ...(text ? [["q", text]] : [])]);
  };
  input.addEventListener(
    "input",
    debounce(350, () => input.isConnected && applyText()),
  );
  input.addEventListener("keydown", (event) => event.key === "Enter" && applyText());
  queueMicrotask(() => input.setSelectionRange(value.length, value.length));
  return el("div", { class: "search-box" }, drawIcon("search"), input);
}

function filterButton(main, filters, createPanel) {
  const n = new Set(filters.filter(([name]) => PANEL_FILTERS.has(name)).map(([name]) => name)).size;
  const button = el(
    "button",
    { type: "button", class: "plain filter-button", "aria-expanded": "false" },
    drawIcon("filter"),
    n ? t("filters_count", { n }) : t("filters"),
  );
  button.classList.toggle("has", n > 0);
  button.addEventListener("click", () => {
    const panel = main.querySelector("#filters");
    isPanelOpen = !panel;
    button.setAttribute("aria-expanded", isPanelOpen);
    if (panel) panel.remove();
    else button.closest(".toolbar").after(createPanel());
  });
  return button;
}

function storedColumns() {
  const stored = (localStorage.getItem(COLUMNS_KEY) ?? "").split(",").filter((column) => COLUMNS.includes(column));
  return stored.length ? stored : DEFAULT_COLUMNS;
}

function columnsChoice(feed) {
  const chosen = new Set(storedColumns());
  const box = el(
    "fieldset",
    { class: "box" },
    el("legend", { class: "hidden" }, t("columns")),
    COLUMNS.map((column) =>
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", value: column, checked: chosen.has(column) }),
        t(column),
      ),
    ),
  );
  box.addEventListener("change", (event) => {
    chosen[event.target.checked ? "add" : "delete"](event.target.value);
    if (!chosen.size) {
      chosen.add(event.target.value);
      event.target.checked = true;
    }
    const columns = COLUMNS.filter((column) => chosen.has(column));
    localStorage.setItem(COLUMNS_KEY, columns.join(","));
    feed.table.useColumns(columns);
  });
  return dropdown(el("button", { type: "button", class: "plain" }, drawIcon("columns"), t("columns")), box);
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
    el("button", { type: "button", class: "plain" }, drawIcon("download"), t("export")),
    el("div", { class: "box" }, FORMATS.map(link)),
  );
}

function sizeChoice(size, onChange) {
  const select = choice(
    PAGE_SIZES.map((value) => [value, count(value)]),
    size,
    { "aria-label": t("page_size") },
  );
  select.addEventListener("change", () => {
    localStorage.setItem(PAGE_SIZE_KEY, select.value);
    onChange();
  });
  return el("label", { class: "size" }, t("page_size"), select);
}

function drawPager(pager, page, goToPage) {
  const button = (key, icon, to) =>
    el(
      "button",
      { type: "button", class: "plain", disabled: !to, onclick: () => goToPage(to) },
      key === "newer" && drawIcon(icon),
      t(key),
      key === "older" && drawIcon(icon),
    );
  pager.replaceChildren(
    ...(page.previous_cursor
      ? [el("button", { type: "button", class: "plain", onclick: () => goToPage(null) }, t("first_page"))]
      : []),
    button("newer", "left", page.previous_cursor),
    button("older", "right", page.next_cursor),
  );
}
