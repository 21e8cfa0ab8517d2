/** The bars of a recording's waveform. */

export const WAVEFORM_HEIGHT = 40;
const MAX_BARS = 160;
/** Peaks are 0 to 255; a quiet recording is not drawn louder than this allows. */
const MIN_SCALE = 64;
const MIN_BAR_HEIGHT = 2;

/**
 * Heights of the bars, each for the loudest peak of its part; low equal bars where the peaks are not known.
 * @param {number[] | null} peaks
 */
export function barHeights(peaks) {
  const loudness = peaks?.length ? loudestOfParts(peaks) : Array(MAX_BARS).fill(MIN_SCALE / 6);
  const scale = Math.max(...loudness, MIN_SCALE);
  return loudness.map((peak) => Math.max(MIN_BAR_HEIGHT, (peak / scale) * WAVEFORM_HEIGHT));
}

/** @param {number[]} peaks */
function loudestOfParts(peaks) {
  const size = Math.ceil(peaks.length / MAX_BARS);
  return Array.from({ length: Math.ceil(peaks.length / size) }, (_, part) =>
    Math.max(...peaks.slice(part * size, (part + 1) * size)),
  );
}
