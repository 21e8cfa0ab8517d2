/** Lists other than the journal: search, pages, and a table that becomes cards on a small screen. */

import { get } from "../api.js";
import { t } from "../lib/i18n.js";
import { debounce } from "../timing.js";
import { el, showToast } from "./dom.js";
import { drawIcon } from "./icons.js";
import { emptyNote, errorText, failureNote, loadingBars } from "./placeholders.js";

/**
 * `columns`: [message key, cell(item)] pairs; `actions(item)` returns buttons. The returned `load` requests the list
 * again. `renderEmpty()` replaces an empty list, `renderError(error)` may replace the default note. `onItems(items)` is
 * called with all items of the list after each page.
 */
export function list({
  path,
  name,
  columns,
  actions,
  renderEmpty,
  hint = null,
  renderError = null,
  onItems = () => {},
}) {
  const input = el("input", { type: "search", placeholder: hint ?? "", "aria-label": t("search"), maxlength: 100 });
  const container = el("div", {}, loadingBars(6));
  const more = el("button", { type: "button", class: "plain", hidden: true }, t("show_more"));
  let [cursor, body, lastRequest, items] = [null, null, 0, []];

  const row = (item) =>
    el(
      "tr",
      { role: "row" },
      columns.map(([key, cell]) => el("td", { role: "cell", "data-label": t(key) }, cell(item))),
      actions && el("td", { role: "cell", class: "actions" }, el("div", { class: "tools" }, actions(item))),
    );
  const head = () =>
    el(
      "tr",
      { role: "row" },
      columns.map(([key]) => el("th", { scope: "col", role: "columnheader" }, t(key))),
      actions && el("th", { scope: "col", role: "columnheader" }, el("span", { class: "hidden" }, t("actions"))),
    );

  async function load(after = null) {
    const request = ++lastRequest;
    const q = input.value.trim();
    try {
      const page = await get(path, { limit: 100, ...(hint && q && { q }), ...(after && { cursor: after }) });
      if (request !== lastRequest) return;
      const rows = page[name].map(row);
      items = after ? [...items, ...page[name]] : page[name];
      onItems(items);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      if (after) return body.append(...rows);
      body = el("tbody", { role: "rowgroup" }, rows);
      const table = () =>
        el("div", { class: "table" }, el("table", { role: "table" }, el("thead", { role: "rowgroup" }, head()), body));
      container.replaceChildren(
        rows.length ? table() : q ? emptyNote("search", t("nothing_found"), "") : renderEmpty(),
      );
    } catch (error) {
      if (error.status === 401) return;
      container.replaceChildren(renderError?.(error) ?? failureNote(error, load));
    }
  }

  input.addEventListener(
    "input",
    debounce(250, () => load()),
  );
  more.addEventListener("click", () => load(cursor));
  load();
  return {
    element: el("div", {}, container, el("p", {}, more)),
    search: el("div", { class: "search-box" }, drawIcon("search"), input),
    load: () => load(),
  };
}

/** The button for the next page: `loadNext(cursor)` shows that page and returns the cursor after it. */
export function moreButton(cursor, loadNext) {
  const more = el("button", { type: "button", class: "plain", hidden: !cursor }, t("show_more"));
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      cursor = await loadNext(cursor);
      more.hidden = !cursor;
    } catch (error) {
      if (error.status !== 401) showToast(errorText(error), "bad");
    } finally {
      more.disabled = false;
    }
  });
  return el("p", {}, more);
}

export const button = (icon, key, act, kind = "plain") =>
  el("button", { type: "button", class: kind, onclick: act }, drawIcon(icon), t(key));

export const tool = (icon, key, act) =>
  el("button", { type: "button", class: "tool", title: t(key), "aria-label": t(key), onclick: act }, drawIcon(icon));
