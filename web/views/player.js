/** A recording, played in the row of its call. */

import { get, Refused, send } from "../api.js";
import { el, put, say, svg } from "./dom.js";
import { confirmed } from "./forms.js";
import { duration } from "../lib/formats.js";
import { drawn } from "./icons.js";
import { t } from "../lib/i18n.js";

const SPEEDS = ["0.75", "1", "1.25", "1.5", "2"];
const STEP = 5;
const HEIGHT = 40;
const BARS = 160;
const FAINT = 64;
const [VOLUME, SPEED] = ["volume", "speed"];

/** Returns {element, begin, stop}. `close` shuts it. */
export function player(entry, me, close) {
  const length = Number(entry.recording.duration_seconds) || 0;
  const source = `/api/v1/calls/${entry.call_id}/recording`;
  const audio = new Audio();
  audio.preload = "metadata";
  audio.volume = Number(localStorage.getItem(VOLUME) ?? 1);

  const toggle = el("button", { type: "button", class: "tool round" });
  const at = el("span", { class: "time" }, duration(0));
  const seek = el("input", { type: "range", min: 0, max: length || 1, step: 0.1, value: "0", "aria-label": t("seek") });
  const wave = svg("svg", { class: "wave", viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const volume = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: String(audio.volume), "aria-label": t("volume"), title: t("volume") });
  const speed = el("select", { "aria-label": t("speed"), title: t("speed") }, SPEEDS.map((one) => el("option", { value: one }, `${one}×`)));
  speed.value = SPEEDS.includes(localStorage.getItem(SPEED)) ? localStorage.getItem(SPEED) : "1";
  audio.defaultPlaybackRate = Number(speed.value);

  const element = el(
    "div",
    { class: "player", role: "group", "aria-label": t("player") },
    toggle,
    at,
    el("div", { class: "track" }, wave, seek),
    el("span", { class: "time quiet" }, duration(length)),
    el("label", { class: "volume" }, drawn("volume"), volume),
    speed,
    me.role === "administrator" && tool("remove", "delete_recording", () => remove(entry)),
    tool("close", "close", close),
  );

  let [wanted, failed] = [0, 0];
  const draw = () => {
    const word = audio.paused ? "play" : "pause";
    put(toggle, word, () => drawn(word));
    toggle.title = t(word);
    toggle.setAttribute("aria-label", t(word));
    at.textContent = duration(audio.currentTime);
    if (document.activeElement !== seek || !audio.seeking) seek.value = audio.currentTime;
    seek.setAttribute("aria-valuetext", duration(audio.currentTime));
    wave.style.setProperty("--played", `${(100 * audio.currentTime) / (Number(seek.max) || 1)}%`);
  };
  const play = () => audio.play().catch((error) => error.name === "AbortError" || draw());
  // The link behind the address lives for two minutes: once it is refused, ask for another and go on.
  const again = () => {
    if (!audio.src) return;
    if (failed++ > 0) return say(t("play_failed"), "bad");
    wanted = audio.currentTime;
    audio.src = source;
    play();
  };

  toggle.addEventListener("click", () => (audio.paused ? play() : audio.pause()));
  seek.addEventListener("input", () => (audio.currentTime = Number(seek.value)));
  volume.addEventListener("input", () => {
    audio.volume = Number(volume.value);
    localStorage.setItem(VOLUME, volume.value);
  });
  speed.addEventListener("change", () => {
    audio.playbackRate = Number(speed.value);
    localStorage.setItem(SPEED, speed.value);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.target !== toggle || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    audio.currentTime += event.key === "ArrowLeft" ? -STEP : STEP;
  });
  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration)) seek.max = audio.duration;
    if (wanted) audio.currentTime = wanted;
  });
  audio.addEventListener("playing", () => (failed = 0));
  audio.addEventListener("error", again);
  for (const event of ["play", "pause", "ended", "timeupdate", "seeked"]) audio.addEventListener(event, draw);
  draw();

  return {
    element,
    async begin() {
      audio.src = source;
      play();
      toggle.focus();
      wave.replaceChildren(...bars(await peaksOf(entry.call_id)));
    },
    stop() {
      audio.removeAttribute("src");
      audio.load();
    },
  };
}

const tool = (icon, word, act) => el("button", { type: "button", class: "tool", "aria-label": t(word), title: t(word), onclick: act }, drawn(icon));

function remove(entry) {
  confirmed(t("ask_delete_recording"), async () => {
    await send("DELETE", `/calls/${entry.call_id}/recording`);
    say(t("recording_deleted"));
  });
}

/** Null where nobody can tell; the track is then a plain line. */
async function peaksOf(id) {
  try {
    return (await get(`/calls/${id}/recording/peaks`)).peaks;
  } catch (error) {
    if (error instanceof Refused || error.name === "TypeError") return null;
    throw error;
  }
}

/** As many parts as can be told apart, each as loud as its loudest. */
function loudest(peaks) {
  const size = Math.ceil(peaks.length / BARS);
  return Array.from({ length: Math.ceil(peaks.length / size) }, (_, n) => Math.max(...peaks.slice(n * size, (n + 1) * size)));
}

/** How loud each part is, 0 to 255, as bars that widen with the track; a quiet line where that is not known. */
function bars(peaks) {
  const known = peaks?.length ? loudest(peaks) : Array(BARS).fill(FAINT / 6);
  const width = 100 / known.length;
  const loud = Math.max(...known, FAINT);
  return known.map((peak, n) => {
    const height = Math.max(2, (peak / loud) * HEIGHT);
    return svg("rect", { x: n * width, y: (HEIGHT - height) / 2, width: width * 0.65, height, rx: 0.2 });
  });
}
