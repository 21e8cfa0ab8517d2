/** Times in the company's zone, money, numbers and lengths as the language writes them. */

import { language, t } from "./i18n.js";

let zone = "Europe/Kyiv";
const made = new Map();

export function useZone(name) {
  zone = name;
  made.clear();
}

const locale = () => (language() === "uk" ? "uk-UA" : "en-GB");

function formatter(kind, options) {
  const key = `${locale()} ${zone} ${kind.name} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new kind(locale(), options));
  return made.get(key);
}

const time = (options, at) => formatter(Intl.DateTimeFormat, { timeZone: zone, ...options }).format(new Date(at));
const DAY = { day: "2-digit", month: "2-digit", year: "numeric" };
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export const clock = (at) => time({ ...CLOCK, second: "2-digit" }, at);
export const minute = (at) => time(CLOCK, at);
export const day = (at) => time(DAY, at);
export const moment = (at) => `${day(at)} ${clock(at)}`;
/** As a field of date and time writes it. */
export const localMinute = (at) => `${isoDay(at)}T${minute(at)}`;
/** As short as it can be said: a day where that begins then. */
export const brief = (at) => (minute(at) === "00:00" ? day(at) : `${day(at)} ${minute(at)}`);
export const count = (number) => formatter(Intl.NumberFormat, {}).format(number);

export const share = (part) => formatter(Intl.NumberFormat, { style: "percent" }).format(part);

/** The day in the company's zone, as the API writes it. */
export function isoDay(at) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, ...DAY }).format(new Date(at));
  return parts.slice(0, 10);
}

export function nextDay(isoDay, days = 1) {
  const date = new Date(`${isoDay}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** The instant of "2026-11-24" or "2026-11-24T14:15" in the company's zone, as the API writes it. */
export function instantOf(local) {
  const wanted = Date.parse(`${local.padEnd(16, "T00:00")}Z`);
  let at = wanted;
  for (let turn = 0; turn < 2; turn++) at += wanted - Date.parse(`${localMinute(at)}Z`);
  return new Date(at).toISOString();
}

/** A day that the API wrote. */
export const written = (options, isoDay) => formatter(Intl.DateTimeFormat, { timeZone: "UTC", ...options }).format(new Date(isoDay));
export const writtenDay = (isoDay) => written(DAY, isoDay);
export const longDay = (isoDay) => written({ weekday: "long", day: "numeric", month: "long" }, isoDay);

/** `00:01:48`; what has begun counts, what is less than a second does not. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds)));
  const parts = [whole / 3600, (whole / 60) % 60, whole % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

/** `amount` is a decimal in a string and is never made a float. */
export function money(amount, currency, about = {}) {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6, ...about };
  if (currency === "UAH" && language() === "uk") {
    return `${formatter(Intl.NumberFormat, digits).format(amount)}\u00a0грн`;
  }
  return formatter(Intl.NumberFormat, { ...digits, style: "currency", currency }).format(amount);
}

export const difference = (amount, currency) => money(amount, currency, { signDisplay: "exceptZero" });

/** A moment of today by its time alone. */
export const soon = (at) => (isoDay(at) === isoDay(Date.now()) ? minute(at) : `${minute(at)}, ${day(at)}`);

/** `+38 (093) 629-76-66`; what is no Ukrainian number as it is. */
export function phone(address) {
  const parts = /^\+38(0\d\d)(\d{3})(\d\d)(\d\d)$/.exec(address);
  return parts ? `+38 (${parts[1]}) ${parts[2]}-${parts[3]}-${parts[4]}` : address.replace(/^sips?:/i, "");
}

/** The prefix of a rate with its direction, as billing writes them: "outbound +38067". */
export function prefixInWords(written) {
  const [, direction, prefix] = /^(inbound|outbound|internal)? ?(.*)$/.exec(written);
  return [direction && t(`direction_${direction}`), prefix || t("price_any_prefix")].filter(Boolean).join(", ");
}

export function bytes(size) {
  const unit = size < 1e6 ? "kilobyte" : "megabyte";
  const options = { style: "unit", unit, maximumFractionDigits: size < 1e6 ? 0 : 1 };
  return formatter(Intl.NumberFormat, options).format(size / (size < 1e6 ? 1e3 : 1e6));
}

/** A party in words: who they are, and under it the number. */
export function party(one) {
  if (one.kind === "withheld") return { name: t("withheld"), number: "" };
  const number = phone(one.address);
  return one.name ? { name: one.name, number } : { name: number, number: "" };
}
