/** Tariffs: brought in as drafts, looked through, put in force. */

import { get, send } from "../api.js";
import { brief, count, instantOf, localMinute } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { confirmDialog, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote } from "./placeholders.js";

const SHOWN = 200;
const RATE = [
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
  const made = list({
    path: "/tariffs",
    name: "tariffs",
    columns: [
      ["tariff_name", (one) => el("bdi", { class: "first" }, one.name)],
      ["status", state],
      [
        "valid",
        (one) =>
          [one.from && t("since", { at: brief(one.from) }), one.to && t("until", { at: brief(one.to) })]
            .filter(Boolean)
            .join(" "),
      ],
      ["currency", (one) => one.currency],
      [
        "tariff_rates",
        (one) =>
          el(
            "button",
            { type: "button", class: "link", onclick: () => rates(one) },
            t("tariff_rates_count", { n: one.rate_count }),
          ),
      ],
    ],
    actions: (one) =>
      one.state === "draft"
        ? [
            el("a", { class: "plain", href: `/rerating?tariff=${one.id}` }, t("tariff_try")),
            button("play", "tariff_activate", () => activate(one, made.load)),
            tool("remove", "remove", () => discard(one, made.load)),
          ]
        : [],
    empty: () =>
      emptyNote(
        "tariffs",
        t("tariffs_empty"),
        t("tariffs_empty_hint"),
        button("plus", "tariff_add", () => bring(made.load), "main"),
      ),
    failed: (error) => (error.status === 404 ? emptyNote("tariffs", t("tariffs_away"), t("tariffs_away_hint")) : null),
  });
  main.append(
    el(
      "div",
      { class: "heading" },
      el("h1", {}, t("tariffs")),
      el("span", { class: "space" }),
      button("plus", "tariff_add", () => bring(made.load), "main"),
    ),
    made.element,
  );
}

function state(one) {
  const [from, to] = [Date.parse(one.from), Date.parse(one.to)];
  const now = Date.now();
  const word = one.state === "draft" ? "draft" : to <= now ? "past" : from > now ? "future" : "active";
  return el("span", { class: `pill ${word === "active" ? "live" : "off"}` }, t(`tariff_${word}`));
}

function bring(done) {
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
      const made = await send("POST", "/tariffs/import", file.files[0] ?? new Blob([]), { name, currency });
      showToast(t("tariff_saved", { n: count(made.rate_count) }));
      done();
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
        RATE.map(([word]) => el("th", { scope: "col" }, t(word))),
      ),
    ),
    el(
      "tbody",
      {},
      all.slice(0, SHOWN).map((rate) =>
        el(
          "tr",
          {},
          RATE.map(([, cell]) => el("td", {}, cell(rate))),
        ),
      ),
    ),
  );
  const note = all.length > SHOWN && el("p", { class: "quiet" }, t("tariff_first_rates", { n: SHOWN }));
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

function activate(tariff, done) {
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
      done();
    },
  });
}

function discard(tariff, done) {
  confirmDialog(t("tariff_ask_remove", { name: tariff.name }), async () => {
    await send("DELETE", `/tariffs/${tariff.id}`);
    showToast(t("tariff_removed"));
    done();
  });
}
