/** What the page says, in the language that is chosen. */

const LANGUAGES = ["uk", "en"];
const KEPT = "language";
const bookOf = async (name) => (await import(`../messages/${name}.js`)).default;
let chosen = LANGUAGES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "uk";
let book = await bookOf(chosen);
let plural = new Intl.PluralRules(chosen);

export const language = () => chosen;

export async function speak(name) {
  book = await bookOf(name);
  chosen = name;
  plural = new Intl.PluralRules(name);
  localStorage.setItem(KEPT, name);
}

/** `t("new_calls", {n: 3})`: a word with forms takes the one for n. */
export function t(key, given = {}) {
  const word = book[key];
  if (word === undefined) throw new Error(`no word for ${key}`);
  const form = typeof word === "string" ? word : (word[plural.select(given.n)] ?? word.many ?? word.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => given[name]);
}

export const has = (key) => key in book;
