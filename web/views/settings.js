/** What a company has set for itself, for administrators. */

import { get, send } from "../api.js";
import { useZone } from "../lib/formats.js";
import { language, t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { field, mark } from "./forms.js";
import { errorText, failureNote, loadingBars } from "./placeholders.js";

const NUMBERS = ["price_delay_seconds", "returned_window_hours", "retention_days"];
const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

export function settings(main, { me }) {
  const place = el("div", {}, loadingBars(4));
  main.append(
    el("h1", {}, t("settings_title")),
    el("p", { class: "lead" }, t("settings_intro", { tenant: me.tenant })),
    place,
  );

  async function load() {
    try {
      place.replaceChildren(form(await get("/settings"), me));
    } catch (error) {
      if (error.status !== 401) place.replaceChildren(failureNote(error, load));
    }
  }
  load();
}

function form(given, me) {
  let kept = given;
  const text = (name, options, about = {}) => {
    const list = el(
      "datalist",
      { id: `${name}-options` },
      options.map(([value, label]) => el("option", { value, label })),
    );
    const input = el("input", {
      name,
      value: kept[name] ?? "",
      list: list.id,
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      ...about,
    });
    return [field(t(`settings_${name}`), input, t(`settings_${name}_hint`)), list];
  };
  const number = (name, about) =>
    field(
      t(`settings_${name}`),
      el("input", { type: "number", name, value: String(kept[name] ?? ""), step: 1, inputmode: "numeric", ...about }),
      t(`settings_${name}_hint`),
    );
  const said = el("p", { class: "wrong", role: "alert", hidden: true });
  const save = el("button", { type: "submit", class: "main" }, t("save"));
  const group = (word, ...content) =>
    el(
      "fieldset",
      { class: "card" },
      el("legend", { class: "title" }, t(word)),
      el("div", { class: "pairs" }, content.flat()),
    );
  const element = el(
    "form",
    { class: "settings", novalidate: true },
    group(
      "settings_place",
      text(
        "time_zone",
        Intl.supportedValuesOf("timeZone").map((name) => [name, ""]),
      ),
      text("region", regions(), { maxlength: 2, autocapitalize: "characters" }),
    ),
    group(
      "settings_prices",
      text("currency", currencies(), { maxlength: 3, autocapitalize: "characters" }),
      number("price_delay_seconds", { min: 0, required: true }),
    ),
    group(
      "settings_calls",
      number("returned_window_hours", { min: 1, required: true }),
      number("retention_days", { min: 1, placeholder: t("settings_for_ever") }),
    ),
    said,
    el("footer", { class: "form-actions" }, save),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    said.hidden = true;
    mark(element, {});
    try {
      kept = await send("PATCH", "/settings", changed(element, kept));
      me.time_zone = kept.time_zone;
      useZone(kept.time_zone);
      showToast(t("settings_saved"));
    } catch (error) {
      const left = mark(element, error.problem?.errors ?? {});
      const marked = element.querySelector("[aria-invalid]");
      said.hidden = Boolean(marked) && !left;
      said.textContent = marked ? left : errorText(error);
    } finally {
      save.disabled = false;
    }
  });
  return element;
}

/** What of the form is not so already. An empty number is none. */
function changed(element, kept) {
  const written = [...new FormData(element)].map(([name, value]) => {
    const said = value.trim();
    return [name, NUMBERS.includes(name) ? (said === "" ? null : Number(said)) : said];
  });
  return Object.fromEntries(written.filter(([name, value]) => value !== (kept[name] ?? null)));
}

/** Codes with their names in the language, those that have any. */
function named(codes, type) {
  const names = new Intl.DisplayNames(language(), { type, fallback: "none" });
  return codes.map((code) => [code, names.of(code)]).filter(([, name]) => name);
}

const currencies = () => named(Intl.supportedValuesOf("currency"), "currency");
const regions = () =>
  named(
    LETTERS.flatMap((one) => LETTERS.map((other) => one + other)),
    "region",
  );
