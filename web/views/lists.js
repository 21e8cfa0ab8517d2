/** Lists other than the journal: found by a word, paged, with a table that becomes cards on a small screen. */

import { get } from "../api.js";
import { t } from "../lib/i18n.js";
import { debounce, el, showToast } from "./dom.js";
import { drawn } from "./icons.js";
import { emptyNote, errorText, failureNote, loadingBars } from "./placeholders.js";

/**
 * `columns`: [word, cell(item)] pairs; `actions(item)` buttons. `load` asks again. `empty()` stands in place of an
 * empty list; `told(items)` hears which are shown.
 */
export function list({ path, name, columns, actions, empty, hint = null, failed = null, told = () => {} }) {
  const input = el("input", { type: "search", placeholder: hint ?? "", "aria-label": t("search"), maxlength: 100 });
  const place = el("div", {}, loadingBars(6));
  const more = el("button", { type: "button", class: "plain", hidden: true }, t("show_more"));
  let [cursor, body, asking, shown] = [null, null, 0, []];

  const row = (item) =>
    el(
      "tr",
      { role: "row" },
      columns.map(([word, cell]) => el("td", { role: "cell", "data-label": t(word) }, cell(item))),
      actions && el("td", { role: "cell", class: "actions" }, el("div", { class: "tools" }, actions(item))),
    );
  const head = () =>
    el(
      "tr",
      { role: "row" },
      columns.map(([word]) => el("th", { scope: "col", role: "columnheader" }, t(word))),
      actions && el("th", { scope: "col", role: "columnheader" }, el("span", { class: "hidden" }, t("actions"))),
    );

  async function load(from = null) {
    const mine = ++asking;
    const q = input.value.trim();
    try {
      const page = await get(path, { limit: 100, ...(hint && q && { q }), ...(from && { cursor: from }) });
      if (mine !== asking) return;
      const rows = page[name].map(row);
      shown = from ? [...shown, ...page[name]] : page[name];
      told(shown);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      if (from) return body.append(...rows);
      body = el("tbody", { role: "rowgroup" }, rows);
      const table = () =>
        el("div", { class: "table" }, el("table", { role: "table" }, el("thead", { role: "rowgroup" }, head()), body));
      place.replaceChildren(rows.length ? table() : q ? emptyNote("search", t("nothing_found"), "") : empty());
    } catch (error) {
      if (error.status === 401) return;
      place.replaceChildren(failed?.(error) ?? failureNote(error, load));
    }
  }

  input.addEventListener(
    "input",
    debounce(250, () => load()),
  );
  more.addEventListener("click", () => load(cursor));
  load();
  return {
    element: el("div", {}, place, el("p", {}, more)),
    search: el("div", { class: "search-box" }, drawn("search"), input),
    load: () => load(),
  };
}

/** The way to what follows a page: `add(cursor)` shows the next one and tells where that ends. */
export function further(cursor, add) {
  const more = el("button", { type: "button", class: "plain", hidden: !cursor }, t("show_more"));
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      cursor = await add(cursor);
      more.hidden = !cursor;
    } catch (error) {
      if (error.status !== 401) showToast(errorText(error), "bad");
    } finally {
      more.disabled = false;
    }
  });
  return el("p", {}, more);
}

export const button = (icon, word, act, kind = "plain") =>
  el("button", { type: "button", class: kind, onclick: act }, drawn(icon), t(word));

export const tool = (icon, word, act) =>
  el("button", { type: "button", class: "tool", title: t(word), "aria-label": t(word), onclick: act }, drawn(icon));
