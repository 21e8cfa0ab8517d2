/** Tariffs: import as a draft, view, activate. */

import { get, send } from "../api.js";
import { brief, count, instantOf, localMinute } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { confirmDialog, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote } from "./placeholders.js";

const MAX_RATES_SHOWN = 200;
const RATE_COLUMNS = [
  ["direction", (rate) => t(`direction_${rate.direction}`)],
  ["prefix", (rate) => rate.prefix || "*"],
  ["line", (rate) => rate.line],
  ["per_minute", (rate) => rate.per_minute],
  ["connection_fee", (rate) => rate.connection_fee],
  ["minimum", (rate) => rate.minimum_seconds],
  ["increment", (rate) => rate.increment_seconds],
  ["free", (rate) => rate.free_seconds],
];

export function tariffs(main) {
  const table = list({
    path: "/tariffs",
    name: "tariffs",
    columns: [
      ["tariff_name", (tariff) => el("bdi", { class: "first" }, tariff.name)],
      ["status", state],
      [
        "valid",
        (tariff) =>
          [tariff.from && t("since", { at: brief(tariff.from) }), tariff.to && t("until", { at: brief(tariff.to) })]
            .filter(Boolean)
            .join(" "),
      ],
      ["currency", (tariff) => tariff.currency],
      [
        "tariff_rates",
        (tariff) =>
          el(
            "button",
            { type: "button", class: "link", onclick: () => rates(tariff) },
            t("tariff_rates_count", { n: tariff.rate_count }),
          ),
      ],
    ],
    actions: (tariff) =>
      tariff.state === "draft"
        ? [
            el("a", { class: "plain", href: `/rerating?tariff=${tariff.id}` }, t("tariff_try")),
            button("play", "tariff_activate", () => activate(tariff, table.load)),
            tool("remove", "remove", () => discard(tariff, table.load)),
          ]
        : [],
    renderEmpty: () =>
      emptyNote(
        "tariffs",
        t("tariffs_empty"),
        t("tariffs_empty_hint"),
        button("plus", "tariff_add", () => importTariff(table.load), "main"),
      ),
    renderError: (error) =>
      error.status === 404 ? emptyNote("tariffs", t("tariffs_away"), t("tariffs_away_hint")) : null,
  });
  main.append(
    el(
      "div",
      { class: "heading" },
      el("h1", {}, t("tariffs")),
      el("span", { class: "space" }),
      button("plus", "tariff_add", () => importTariff(table.load), "main"),
    ),
    table.element,
  );
}

function state(tariff) {
  const [from, to] = [Date.parse(tariff.from), Date.parse(tariff.to)];
  const now = Date.now();
  const key = tariff.state === "draft" ? "draft" : to <= now ? "past" : from > now ? "future" : "active";
  return el("span", { class: `pill ${key === "active" ? "live" : "off"}` }, t(`tariff_${key}`));
}

function importTariff(onSaved) {
  const file = el("input", { type: "file", name: "file", accept: ".csv,text/csv" });
  openDialog({
    title: t("tariff_add"),
    content: [
      field(t("tariff_name"), el("input", { name: "name", maxlength: 100, autocomplete: "off" })),
      field(
        t("currency"),
        el("input", {
          name: "currency",
          value: "UAH",
          maxlength: 3,
          autocapitalize: "characters",
          autocomplete: "off",
        }),
      ),
      field(t("tariff_file"), file, t("tariff_file_hint")),
    ],
    act: async ({ name, currency }) => {
      const imported = await send("POST", "/tariffs/import", file.files[0] ?? new Blob([]), { name, currency });
      showToast(t("tariff_saved", { n: count(imported.rate_count) }));
      onSaved();
    },
  });
}

async function rates(tariff) {
  const { rates: all } = await get(`/tariffs/${tariff.id}`);
  const table = el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        RATE_COLUMNS.map(([key]) => el("th", { scope: "col" }, t(key))),
      ),
    ),
    el(
      "tbody",
      {},
      all.slice(0, MAX_RATES_SHOWN).map((rate) =>
        el(
          "tr",
          {},
          RATE_COLUMNS.map(([, cell]) => el("td", {}, cell(rate))),
        ),
      ),
    ),
  );
  const note =
    all.length > MAX_RATES_SHOWN && el("p", { class: "quiet" }, t("tariff_first_rates", { n: MAX_RATES_SHOWN }));
  const dialog = openDialog({
    title: tariff.name,
    content: [
      el("div", { class: "table scrolls", tabindex: 0, role: "region", "aria-label": t("tariff_rates") }, table),
      note,
    ].filter(Boolean),
    act: () => {},
  });
  dialog.classList.add("wide");
  dialog.querySelector("footer").hidden = true;
}

function activate(tariff, onSaved) {
  openDialog({
    title: `${t("tariff_activate")}: ${tariff.name}`,
    content: [
      field(
        t("tariff_activate_from"),
        el("input", { type: "datetime-local", name: "from", value: localMinute(Date.now()), required: true }),
      ),
    ],
    action: t("tariff_activate"),
    act: async ({ from }) => {
      await send("POST", `/tariffs/${tariff.id}/activate`, { from: instantOf(from) });
      showToast(t("tariff_activated"));
      onSaved();
    },
  });
}

function discard(tariff, onSaved) {
  confirmDialog(t("tariff_ask_remove", { name: tariff.name }), async () => {
    await send("DELETE", `/tariffs/${tariff.id}`);
    showToast(t("tariff_removed"));
    onSaved();
  });
}
