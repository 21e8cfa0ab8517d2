/** Times in the company's zone, money, numbers and durations as the chosen language writes them. */

import { language, t } from "./i18n.js";

/** @typedef {string | number | Date} Instant */

let zone = "Europe/Kyiv";
/** @type {Map<string, any>} */
const formatters = new Map();

/**
 * Show times in this time zone from now on.
 * @param {string} name of IANA
 */
export function useZone(name) {
  zone = name;
  formatters.clear();
}

const locale = () => (language() === "uk" ? "uk-UA" : "en-GB");

/**
 * @template T
 * @param {string} kind
 * @param {object} options
 * @param {(locale: string) => T} create
 * @returns {T}
 */
function cached(kind, options, create) {
  const key = `${locale()} ${zone} ${kind} ${JSON.stringify(options)}`;
  if (!formatters.has(key)) formatters.set(key, create(locale()));
  return formatters.get(key);
}

/** @param {Intl.DateTimeFormatOptions} options */
const dates = (options) => cached("date", options, (name) => new Intl.DateTimeFormat(name, options));

/** @param {Intl.NumberFormatOptions} options */
const numbers = (options) => cached("number", options, (name) => new Intl.NumberFormat(name, options));

/** @param {Intl.DateTimeFormatOptions} options @param {Instant} at */
const time = (options, at) => dates({ timeZone: zone, ...options }).format(new Date(at));

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { day: "2-digit", month: "2-digit", year: "numeric" };
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** @param {Instant} at */
export const clock = (at) => time({ ...CLOCK, second: "2-digit" }, at);
/** @param {Instant} at */
export const minute = (at) => time(CLOCK, at);
/** @param {Instant} at */
export const day = (at) => time(DAY, at);
/** @param {Instant} at */
export const moment = (at) => `${day(at)} ${clock(at)}`;
/** The value of a `datetime-local` field. @param {Instant} at */
export const localMinute = (at) => `${isoDay(at)}T${minute(at)}`;
/** The day, with the time unless the day begins then. @param {Instant} at */
export const brief = (at) => (minute(at) === "00:00" ? day(at) : `${day(at)} ${minute(at)}`);
/** @param {number | bigint} number */
export const count = (number) => numbers({}).format(number);
/** @param {number} part of 1 */
export const share = (part) => numbers({ style: "percent" }).format(part);

/** The day in the company's zone, as the API writes it. @param {Instant} at */
export function isoDay(at) {
  const options = /** @type {Intl.DateTimeFormatOptions} */ ({ timeZone: zone, ...DAY });
  // The order and the separators of a locale differ between versions of its data, the parts do not.
  const parts = new Intl.DateTimeFormat("en", options).formatToParts(new Date(at));
  return ["year", "month", "day"].map((type) => parts.find((part) => part.type === type)?.value).join("-");
}

/** The instant of `2026-11-24` or `2026-11-24T14:15` in the company's zone, as the API writes it. @param {string} local */
export function instantOf(local) {
  const wanted = Date.parse(`${local.padEnd(16, "T00:00")}Z`);
  let at = wanted;
  // The second pass corrects an offset that changes between the first guess and the result.
  for (let pass = 0; pass < 2; pass++) at += wanted - Date.parse(`${localMinute(at)}Z`);
  return new Date(at).toISOString();
}

/**
 * A day that the API wrote.
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} isoDay
 */
export const formatDay = (options, isoDay) => dates({ timeZone: "UTC", ...options }).format(new Date(isoDay));
/** @param {string} isoDay */
export const shortDay = (isoDay) => formatDay(DAY, isoDay);
/** @param {string} isoDay */
export const longDay = (isoDay) => formatDay({ weekday: "long", day: "numeric", month: "long" }, isoDay);

/** `00:01:48`, without the fraction of a second. @param {number | string} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds)));
  const parts = [whole / 3600, (whole / 60) % 60, whole % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

/**
 * An amount of money.
 * @param {string} amount a decimal, never converted to a float
 * @param {string} currency of ISO 4217
 * @param {Intl.NumberFormatOptions} options
 */
export function money(amount, currency, options = {}) {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6, ...options };
  const decimal = /** @type {any} */ (amount);
  if (currency === "UAH" && language() === "uk") return `${numbers(digits).format(decimal)}\u00a0грн`;
  return numbers({ ...digits, style: "currency", currency }).format(decimal);
}

/** @param {string} amount @param {string} currency */
export const difference = (amount, currency) => money(amount, currency, { signDisplay: "exceptZero" });

/** The time, with the day unless it is today. @param {Instant} at */
export const soon = (at) => (isoDay(at) === isoDay(Date.now()) ? minute(at) : `${minute(at)}, ${day(at)}`);

/** `+38 (093) 629-76-66`; other addresses as they are, without the scheme. @param {string} address */
export function phone(address) {
  const parts = /^\+38(0\d\d)(\d{3})(\d\d)(\d\d)$/.exec(address);
  return parts ? `+38 (${parts[1]}) ${parts[2]}-${parts[3]}-${parts[4]}` : address.replace(/^sips?:/i, "");
}

/** The prefix of a rate with its direction, as billing writes them: `outbound +38067`. @param {string} value */
export function ratePrefix(value) {
  const [, direction, prefix] = /^(inbound|outbound|internal)? ?(.*)$/.exec(value) ?? [];
  return [direction && t(`direction_${direction}`), prefix || t("price_any_prefix")].filter(Boolean).join(", ");
}

/** The name and the number of a party. @param {import("./filters.js").Party} person */
export function party(person) {
  if (person.kind === "withheld") return { name: t("withheld"), number: "" };
  const number = phone(person.address);
  return person.name ? { name: person.name, number } : { name: number, number: "" };
}
