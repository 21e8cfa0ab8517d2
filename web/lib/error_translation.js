/** What the API says is wrong, for people: it says it in English, and with the names of its fields. */

import { has, language, t } from "./i18n.js";

/** From the most particular; what is not here is shown as it came. */
const UKRAINIAN = [
  [/^Missing data for required field\.$/, "Заповніть це поле."],
  [/^Length must be between (\d+) and (\d+)\.$/, "Довжина – від $1 до $2 знаків."],
  [/^Shorter than minimum length (\d+)\.$/, "Щонайменше $1 знаків."],
  [/^Longer than maximum length (\d+)\.$/, "Щонайбільше $1 знаків."],
  [/^Must be greater than or equal to (\d+) and less than or equal to (\d+)\.$/, "Число від $1 до $2."],
  [/^Not a valid integer\.$/, "Це має бути ціле число."],
  [/^Field may not be null\.$/, "Заповніть це поле."],
  [/^Neither a number, nor an extension, nor a SIP address\.$/, "Це не номер, не внутрішній номер і не SIP-адреса."],
  [/^Has a character that (?:is not for names and numbers|cannot be stored)\.$/, "Тут є недозволений символ."],
  [/^Has the invisible character (U\+\w+), which turns the text around\.$/, "Тут є невидимий символ $1, який змінює напрям тексту. Приберіть його."],
  [/^Has a control character other than a line break\.$/, "Тут є недозволений символ."],
  [/^Has spaces in it\.$/, "Без пробілів."],
  [/^Is the login\.$/, "Пароль не може бути таким самим, як логін."],
  [/^Is wrong\.$/, "Це не той пароль."],
  [/^Is not after from\.$/, "Має бути пізніше за початок."],
  [/^Is empty\.$/, "Порожньо."],
  [/^Not a time zone of IANA.*$/, "Немає такого часового поясу. Приклад: Europe/Kyiv."],
  [/^Not a region of ISO 3166.*$/, "Немає такої країни. Приклад: UA."],
  [/^Not a currency of ISO 4217.*$/, "Немає такої валюти. Приклад: UAH."],
  [/^Must be from 0 to less than 1000000\.$/, "Число від 0 до 1 000 000."],
  [/^Has more than (\d+) digits after the point\.$/, "Щонайбільше $1 знаків після коми."],
  [/^Not a valid number\.$/, "Це не число."],
  [/^Must be one of: (.+)\.$/, "Одне з: $1."],
  [/^There is no such column\.$|^Missing column\.$/, "Немає такої колонки."],
  [/^There are two such columns\.$|^Stands there twice\.$/, "Ця колонка повторюється."],
  [/^(?:Not a column that is known:|Unknown column; there are) (.+)\.$/, "Невідома колонка. Відомі: $1."],
  [/^Is neither UTF-8 nor Windows-1251\.$/, "Файл не в UTF-8 і не в Windows-1251."],
  [/^Is not CSV: .*$/, "Це не CSV."],
  [/^The login (.+) is taken\.$/, "Логін $1 уже зайнятий."],
  [/^(.+) is in Contacts already, as (.+)\.$/, "$1 вже є в контактах: $2."],
  [/^A tariff without rates prices nothing.*$/, "У тарифі немає ставок."],
  [/^The period ends before it begins\.$/, "Період закінчується раніше, ніж починається."],
  [/^(?:The rates are malformed|Nothing was taken: some lines are wrong|The table cannot be read|The columns are not those of this table)\.$/, "Файл не взято, бо в ньому є помилки."],
  [/^This is the last administrator.*$/, "Це останній адміністратор: спершу призначте іншого."],
  [/^(.+) is held by another account at that time\.$/, "Лінію $1 у цей час має інший запис."],
  [/^Not what is taken here\.$/, "Перевірте, що введено."],
];

export function said(words) {
  const [pattern, own] = (language() === "uk" && UKRAINIAN.find(([one]) => one.test(words))) || [];
  return pattern ? words.replace(pattern, own) : words;
}

/** What is wrong with the fields, a sentence each; of a file, line by line. */
export function wrongs(errors, within = "") {
  return Object.entries(errors).flatMap(([name, told]) => {
    const here = [within, name === "_schema" ? "" : named(name)].filter(Boolean).join(", ");
    if (typeof told === "object" && told && !Array.isArray(told)) return wrongs(told, here);
    return [`${here}${here && ": "}${[told].flat(2).map((one) => said(String(one))).join(" ")}`];
  });
}

function named(name) {
  const line = /^(?:line )?(\d+)$/.exec(name);
  if (line) return t("on_line", { n: line[1] });
  return has(name) ? t(name) : name;
}
