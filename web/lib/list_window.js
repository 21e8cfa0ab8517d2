/** Which rows of a long list are drawn. */

/** A list of up to so many rows is drawn as a whole. */
export const MAX_WHOLE_LIST = 400;
/** How many rows are drawn above and below the screen. */
export const ROWS_AROUND = 40;

/** @param {number} least @param {number} value @param {number} most */
const clamp = (least, value, most) => Math.max(least, Math.min(value, most));

/**
 * The first row to draw and the one after the last.
 * @param {{ size: number, rowHeight: number, hiddenAbove: number, screenHeight: number }} view pixels, and the length of the list
 * @returns {[from: number, to: number]}
 */
export function visibleRange({ size, rowHeight, hiddenAbove, screenHeight }) {
  if (size <= MAX_WHOLE_LIST) return [0, size];
  const first = Math.floor(hiddenAbove / rowHeight) - ROWS_AROUND;
  const last = Math.ceil((hiddenAbove + screenHeight) / rowHeight) + ROWS_AROUND;
  return [clamp(0, first, size - ROWS_AROUND), clamp(ROWS_AROUND, last, size)];
}
