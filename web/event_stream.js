/**
 * The journal's stream. EventSource tells neither why it was refused nor lets us resume after that, so the stream is
 * read here: after anything that breaks it goes on from the last event that arrived.
 */

import { address, signedOut } from "./api.js";
import { pause } from "./views/dom.js";

const SILENCE = 40_000;
const LONGEST_WAIT = 15_000;

/**
 * `entry(entry)` for each change, `state("live" | "lost" | "resumed" | "missed")`; after "missed" what is shown must be
 * asked for again. Returns {ready, stop}: `ready` is kept once the stream runs.
 */
export function listen(query, { entry, state }) {
  let [last, wait, known, open] = [null, 500, "", null];
  let [stopped, missed] = [false, false];
  let begun;
  const ready = new Promise((resolve) => (begun = resolve));
  const tell = (now) => known !== now && state((known = now));

  async function once() {
    open = new AbortController();
    const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
    const response = await fetch(address("/journal/stream", query), { headers, signal: open.signal, cache: "no-store" });
    if (response.status === 401) return signedOut();
    if (response.status === 422 && last) {
      last = null;
      missed = true;
      return undefined;
    }
    if (!response.ok) throw new Error(String(response.status));
    const news = missed ? "missed" : known === "lost" ? "resumed" : "live";
    for await (const event of events(response.body, open)) {
      if (event.id) last = event.id;
      wait = 500;
      begun();
      missed = false;
      tell(news);
      if (event.name === "entry") entry(JSON.parse(event.data));
    }
  }

  (async () => {
    while (!stopped) {
      try {
        await once();
      } catch (error) {
        if (!(error instanceof TypeError || error.name === "AbortError" || /^\d{3}$/.test(error.message))) throw error;
      }
      if (stopped) return;
      tell("lost");
      await pause(wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  })();

  return {
    ready,
    stop() {
      stopped = true;
      open?.abort();
    },
  };
}

async function* events(body, open) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const silence = setTimeout(() => open.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    yield* blocks.map(event);
  }
}

function event(block) {
  const found = { id: "", name: "", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "id") found.id = value;
    if (field === "event") found.name = value;
    if (field === "data") found.data += value;
  }
  return found;
}
