/** The player of a recording, in the row of its call. */

import { ApiError, get, send } from "../api.js";
import { duration } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { barHeights, WAVEFORM_HEIGHT } from "../lib/waveform.js";
import { el, put, showToast, svg } from "./dom.js";
import { confirmDialog } from "./forms.js";
import { drawIcon } from "./icons.js";

const SPEEDS = ["0.75", "1", "1.25", "1.5", "2"];
const STEP_SECONDS = 5;
const [VOLUME, SPEED] = ["volume", "speed"];

/** Returns {element, begin, stop}. `onClose` is called when the reader closes it. */
export function player(entry, me, onClose) {
  const length = Number(entry.recording.duration_seconds) || 0;
  const source = `/api/v1/calls/${entry.call_id}/recording`;
  const audio = new Audio();
  audio.preload = "metadata";
  audio.volume = Number(localStorage.getItem(VOLUME) ?? 1);

  const toggle = el("button", { type: "button", class: "tool round" });
  const at = el("span", { class: "time" }, duration(0));
  const seek = el("input", { type: "range", min: 0, max: length || 1, step: 0.1, value: "0", "aria-label": t("seek") });
  const wave = svg("svg", {
    class: "wave",
    viewBox: `0 0 100 ${WAVEFORM_HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const volume = el("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    value: String(audio.volume),
    "aria-label": t("volume"),
    title: t("volume"),
  });
  const speed = el(
    "select",
    { "aria-label": t("speed"), title: t("speed") },
    SPEEDS.map((factor) => el("option", { value: factor }, `${factor}×`)),
  );
  speed.value = SPEEDS.includes(localStorage.getItem(SPEED)) ? localStorage.getItem(SPEED) : "1";
  audio.defaultPlaybackRate = Number(speed.value);

  const element = el(
    "div",
    { class: "player", role: "group", "aria-label": t("player") },
    toggle,
    at,
    el("div", { class: "track" }, wave, seek),
    el("span", { class: "time quiet" }, duration(length)),
    el("label", { class: "volume" }, drawIcon("volume"), volume),
    speed,
    me.role === "administrator" && tool("remove", "delete_recording", () => remove(entry)),
    tool("close", "close", onClose),
  );

  let [resumeAt, failures] = [0, 0];
  const draw = () => {
    const key = audio.paused ? "play" : "pause";
    put(toggle, key, () => drawIcon(key));
    toggle.title = t(key);
    toggle.setAttribute("aria-label", t(key));
    at.textContent = duration(audio.currentTime);
    if (document.activeElement !== seek || !audio.seeking) seek.value = audio.currentTime;
    seek.setAttribute("aria-valuetext", duration(audio.currentTime));
    wave.style.setProperty("--played", `${(100 * audio.currentTime) / (Number(seek.max) || 1)}%`);
  };
  const play = () => audio.play().catch((error) => error.name === "AbortError" || draw());
  // The signed link behind the address expires after two minutes: request another one and continue.
  const renewLink = () => {
    if (!audio.src) return;
    if (failures++ > 0) return showToast(t("play_failed"), "bad");
    resumeAt = audio.currentTime;
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
    if (event.key === "Escape") onClose();
    if (event.target !== toggle || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    audio.currentTime += event.key === "ArrowLeft" ? -STEP_SECONDS : STEP_SECONDS;
  });
  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration)) seek.max = audio.duration;
    if (resumeAt) audio.currentTime = resumeAt;
  });
  audio.addEventListener("playing", () => (failures = 0));
  audio.addEventListener("error", renewLink);
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

const tool = (icon, key, act) =>
  el("button", { type: "button", class: "tool", "aria-label": t(key), title: t(key), onclick: act }, drawIcon(icon));

function remove(entry) {
  confirmDialog(t("ask_delete_recording"), async () => {
    await send("DELETE", `/calls/${entry.call_id}/recording`);
    showToast(t("recording_deleted"));
  });
}

/** The peaks of a recording, or null while they are not available. */
async function peaksOf(id) {
  try {
    return (await get(`/calls/${id}/recording/peaks`)).peaks;
  } catch (error) {
    if (error instanceof ApiError || error.name === "TypeError") return null;
    throw error;
  }
}

/** The bars of the waveform, as wide as the track. */
function bars(peaks) {
  const heights = barHeights(peaks);
  const width = 100 / heights.length;
  return heights.map((height, n) =>
    svg("rect", { x: n * width, y: (WAVEFORM_HEIGHT - height) / 2, width: width * 0.65, height, rx: 0.2 }),
  );
}
