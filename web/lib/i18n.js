/** The texts of the page in the chosen language. */

/**
 * @typedef {Partial<Record<Intl.LDMLPluralRule, string>>} PluralForms
 * @typedef {Record<string, string | PluralForms>} Messages
 * @typedef {Record<string, string | number>} Params
 */

let chosen = "uk";
/** @type {Messages} */
let messages = {};
let plural = new Intl.PluralRules(chosen);

export const language = () => chosen;

/**
 * Use these messages from now on.
 * @param {string} name the language, `uk` or `en`
 * @param {Messages} catalogue
 */
export function useMessages(name, catalogue) {
  chosen = name;
  messages = catalogue;
  plural = new Intl.PluralRules(name);
}

/**
 * The text of a key: `t("new_calls", { n: 3 })`. A text with plural forms takes the form of `n`.
 * @param {string} key
 * @param {Params} params
 */
export function t(key, params = {}) {
  const message = messages[key];
  if (message === undefined) throw new Error(`no message for ${key}`);
  const text = typeof message === "string" ? message : pluralForm(message, Number(params.n));
  return text.replace(/\{(\w+)\}/g, (_, name) => String(params[name]));
}

/**
 * @param {PluralForms} forms
 * @param {number} n
 */
const pluralForm = (forms, n) => forms[plural.select(n)] ?? forms.many ?? forms.other ?? "";

/**
 * Whether there is a text for this key.
 * @param {string} key
 */
export const has = (key) => key in messages;
