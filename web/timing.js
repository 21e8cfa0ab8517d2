/** Delays. */

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * A function that calls `act` once no call has followed for `delay` milliseconds, with the arguments of the last one.
 * @template {unknown[]} Args
 * @param {number} delay
 * @param {(...args: Args) => void} act
 */
export function debounce(delay, act) {
  let timer = 0;
  return (/** @type {Args} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(act, delay, ...args);
  };
}
