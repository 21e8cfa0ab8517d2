/** Days of the calendar as the API writes them, `2026-11-24`, without a time zone. */

const MONDAYS_OF_MONTH = [0, 1, 2, 3, 4, 5];

/** @param {Date} date */
const toIsoDay = (date) => date.toISOString().slice(0, 10);

/**
 * The day `days` later.
 * @param {string} isoDay
 */
export function addDays(isoDay, days = 1) {
  const date = new Date(`${isoDay}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return toIsoDay(date);
}

/**
 * The month of a day, `2026-11`.
 * @param {string} isoDay
 */
export const monthOf = (isoDay) => isoDay.slice(0, 7);

/**
 * The Mondays of the weeks that have days in the month of `isoDay`.
 * @param {string} isoDay
 */
export function mondaysOf(isoDay) {
  const first = `${monthOf(isoDay)}-01`;
  const daysSinceMonday = (new Date(first).getUTCDay() + 6) % 7;
  return MONDAYS_OF_MONTH.map((week) => addDays(first, 7 * week - daysSinceMonday)).filter(
    (monday) => monthOf(monday) <= monthOf(isoDay),
  );
}

/**
 * The same day of the month `months` later, or the last day of a shorter month.
 * @param {string} isoDay
 * @param {number} months
 */
export function addMonths(isoDay, months) {
  const date = new Date(`${monthOf(isoDay)}-01`);
  date.setUTCMonth(date.getUTCMonth() + months + 1, 0);
  const lastDay = toIsoDay(date);
  const dayOfMonth = isoDay.slice(8) < lastDay.slice(8) ? isoDay.slice(8) : lastDay.slice(8);
  return `${monthOf(lastDay)}-${dayOfMonth}`;
}
