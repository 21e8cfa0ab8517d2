/** What the page says, in the language that is chosen. */

import en from "./words_en.js";
import uk from "./words_uk.js";

const BOOKS = { uk, en };
const KEPT = "language";
let chosen = BOOKS[localStorage.getItem(KEPT)] ? localStorage.getItem(KEPT) : "uk";
let plural = new Intl.PluralRules(chosen);

export const language = () => chosen;

export function speak(name) {
  chosen = name;
  plural = new Intl.PluralRules(name);
  localStorage.setItem(KEPT, name);
}

/** `t("new_calls", {n: 3})`: a word with forms takes the one for n. */
export function t(key, given = {}) {
  const word = BOOKS[chosen][key];
  if (word === undefined) throw new Error(`no word for ${key}`);
  const form = typeof word === "string" ? word : (word[plural.select(given.n)] ?? word.many ?? word.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => given[name]);
}

export const has = (key) => key in BOOKS[chosen];
