/** The settings of a company, for administrators. */

import { get, send } from "../api.js";
import { useZone } from "../lib/formats.js";
import { language, t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { field, showFieldErrors } from "./forms.js";
import { errorText, failureNote, loadingBars } from "./placeholders.js";

const NUMBERS = ["price_delay_seconds", "returned_window_hours", "retention_days"];
const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

export function settings(main, { me }) {
  const container = el("div", {}, loadingBars(4));
  main.append(
    el("h1", {}, t("settings_title")),
    el("p", { class: "lead" }, t("settings_intro", { tenant: me.tenant })),
    container,
  );

  async function load() {
    try {
      container.replaceChildren(settingsForm(await get("/settings"), me));
    } catch (error) {
      if (error.status !== 401) container.replaceChildren(failureNote(error, load));
    }
  }
  load();
}

function settingsForm(settings, me) {
  let saved = settings;
  const text = (name, options, attributes = {}) => {
    const list = el(
      "datalist",
      { id: `${name}-options` },
      options.map(([value, label]) => el("option", { value, label })),
    );
    const input = el("input", {
      name,
      value: saved[name] ?? "",
      list: list.id,
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      ...attributes,
    });
    return [field(t(`settings_${name}`), input, t(`settings_${name}_hint`)), list];
  };
  const number = (name, attributes) =>
    field(
      t(`settings_${name}`),
      el("input", {
        type: "number",
        name,
        value: String(saved[name] ?? ""),
        step: 1,
        inputmode: "numeric",
        ...attributes,
      }),
      t(`settings_${name}_hint`),
    );
  const errorNote = el("p", { class: "field-error", role: "alert", hidden: true });
  const save = el("button", { type: "submit", class: "main" }, t("save"));
  const group = (key, ...content) =>
    el(
      "fieldset",
      { class: "card" },
      el("legend", { class: "title" }, t(key)),
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
    errorNote,
    el("footer", { class: "form-actions" }, save),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    errorNote.hidden = true;
    showFieldErrors(element, {});
    try {
      saved = await send("PATCH", "/settings", changed(element, saved));
      me.time_zone = saved.time_zone;
      useZone(saved.time_zone);
      showToast(t("settings_saved"));
    } catch (error) {
      const rest = showFieldErrors(element, error.problem?.errors ?? {});
      const invalid = element.querySelector("[aria-invalid]");
      errorNote.hidden = Boolean(invalid) && !rest;
      errorNote.textContent = invalid ? rest : errorText(error);
    } finally {
      save.disabled = false;
    }
  });
  return element;
}

/** The values that differ from the saved ones. An empty number field is null. */
function changed(element, saved) {
  const values = [...new FormData(element)].map(([name, value]) => {
    const text = value.trim();
    return [name, NUMBERS.includes(name) ? (text === "" ? null : Number(text)) : text];
  });
  return Object.fromEntries(values.filter(([name, value]) => value !== (saved[name] ?? null)));
}

/** The codes that have a name in the language, with that name. */
function withNames(codes, type) {
  const names = new Intl.DisplayNames(language(), { type, fallback: "none" });
  return codes.map((code) => [code, names.of(code)]).filter(([, name]) => name);
}

const currencies = () => withNames(Intl.supportedValuesOf("currency"), "currency");
const regions = () =>
  withNames(
    LETTERS.flatMap((first) => LETTERS.map((second) => first + second)),
    "region",
  );
