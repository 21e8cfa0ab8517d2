/**
 * The event stream of the journal. `EventSource` reports no status and cannot resume after an error response, so the
 * stream is read with `fetch` and resumed after any failure from the last event that arrived.
 */

import { address, handleSignedOut } from "./api.js";
import { EventParser } from "./lib/event_parser.js";
import { pause } from "./timing.js";

/** The server sends something more often than this; a longer silence means a lost connection. */
const MAX_SILENCE_MS = 40_000;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

/**
 * @typedef {import("./lib/filters.js").Entry} Entry
 * @typedef {"live" | "lost" | "resumed" | "missed"} StreamState After "missed" the page must be loaded again.
 */

/** An error response of the server. */
class StreamError extends Error {}

/**
 * Open the stream and keep it open until `stop` is called. `ready` is resolved once the stream runs.
 * @param {import("./lib/filters.js").Query} query
 * @param {{ onEntry: (entry: Entry) => void, onState: (state: StreamState) => void }} handlers `onEntry` is called for
 *   each change of a call.
 */
export function openEventStream(query, { onEntry, onState }) {
  let [lastEventId, retryMs, isStopped, hasMissed] = ["", MIN_RETRY_MS, false, false];
  /** @type {StreamState | ""} */
  let state = "";
  /** @type {AbortController | null} */
  let connection = null;
  let markReady = () => {};
  /** @type {Promise<void>} */
  const ready = new Promise((resolve) => {
    markReady = resolve;
  });

  /** @param {StreamState} next */
  function setState(next) {
    if (state === next) return;
    state = next;
    onState(next);
  }

  async function read() {
    const controller = new AbortController();
    connection = controller;
    const response = await fetch(address("/journal/stream", query), {
      headers: { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) },
      signal: controller.signal,
      cache: "no-store",
    });
    if (response.status === 401) return handleSignedOut();
    if (response.status === 422 && lastEventId) {
      lastEventId = "";
      hasMissed = true;
      return undefined;
    }
    if (!response.ok || !response.body) throw new StreamError(String(response.status));
    const connected = hasMissed ? "missed" : state === "lost" ? "resumed" : "live";
    for await (const event of readEvents(response.body, controller)) {
      if (event.id) lastEventId = event.id;
      retryMs = MIN_RETRY_MS;
      markReady();
      hasMissed = false;
      setState(connected);
      if (event.name === "entry") onEntry(JSON.parse(event.data));
    }
    return undefined;
  }

  async function run() {
    while (!isStopped) {
      try {
        await read();
      } catch (error) {
        if (!isConnectionError(error)) throw error;
      }
      if (isStopped) return;
      setState("lost");
      await pause(retryMs * (0.75 + Math.random() / 2));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
  }
  run();

  return {
    ready,
    stop() {
      isStopped = true;
      connection?.abort();
    },
  };
}

/**
 * Whether the stream can be opened again: `fetch` throws a `TypeError` for a lost connection.
 * @param {unknown} error
 */
const isConnectionError = (error) =>
  error instanceof StreamError ||
  error instanceof TypeError ||
  (error instanceof DOMException && error.name === "AbortError");

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {AbortController} controller
 */
async function* readEvents(body, controller) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  for (;;) {
    const timer = setTimeout(() => controller.abort(), MAX_SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    yield* parser.push(value);
  }
}
