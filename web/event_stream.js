/**
 * The event stream of the journal. `EventSource` reports no status and cannot resume after an error response, so the
 * stream is read with `fetch` and resumed after any failure from the last event that arrived.
 */

import { address, handleSignedOut } from "./api.js";
import { EventParser } from "./lib/event_parser.js";
import { pause } from "./views/dom.js";

/** The server sends something more often than this; a longer silence means a lost connection. */
const MAX_SILENCE_MS = 40_000;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

/**
 * Calls `onEntry(entry)` for each change and `onState("live" | "lost" | "resumed" | "missed")`; after "missed" the page
 * must be loaded again. Returns {ready, stop}: `ready` is resolved once the stream runs.
 */
export function openEventStream(query, { onEntry, onState }) {
  let [lastEventId, retryMs, state, open] = [null, MIN_RETRY_MS, "", null];
  let [stopped, missed] = [false, false];
  let markReady;
  const ready = new Promise((resolve) => (markReady = resolve));
  const setState = (next) => {
    if (state === next) return;
    state = next;
    onState(next);
  };

  async function read() {
    open = new AbortController();
    const headers = { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) };
    const response = await fetch(address("/journal/stream", query), {
      headers,
      signal: open.signal,
      cache: "no-store",
    });
    if (response.status === 401) return handleSignedOut();
    if (response.status === 422 && lastEventId) {
      lastEventId = null;
      missed = true;
      return undefined;
    }
    if (!response.ok) throw new Error(String(response.status));
    const connected = missed ? "missed" : state === "lost" ? "resumed" : "live";
    for await (const event of events(response.body, open)) {
      if (event.id) lastEventId = event.id;
      retryMs = MIN_RETRY_MS;
      markReady();
      missed = false;
      setState(connected);
      if (event.name === "entry") onEntry(JSON.parse(event.data));
    }
  }

  (async () => {
    while (!stopped) {
      try {
        await read();
      } catch (error) {
        if (!(error instanceof TypeError || error.name === "AbortError" || /^\d{3}$/.test(error.message))) throw error;
      }
      if (stopped) return;
      setState("lost");
      await pause(retryMs * (0.75 + Math.random() / 2));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
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
  const parser = new EventParser();
  for (;;) {
    const timer = setTimeout(() => open.abort(), MAX_SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    yield* parser.push(value);
  }
}
