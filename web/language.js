/** The language of the page: chosen by the reader, remembered by the browser. */

import { useMessages } from "./lib/i18n.js";

const LANGUAGES = ["uk", "en"];
const STORAGE_KEY = "language";

/** Load the messages of a language and remember the choice. */
export async function changeLanguage(name) {
  const { default: messages } = await import(`./messages/${name}.js`);
  useMessages(name, messages);
  localStorage.setItem(STORAGE_KEY, name);
}

const stored = localStorage.getItem(STORAGE_KEY);
await changeLanguage(LANGUAGES.includes(stored) ? stored : "uk");
