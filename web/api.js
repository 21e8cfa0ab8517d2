/** The public API, asked as the page: the session in its cookie, the proof of a write in a header. */

const BASE = "/api/v1";
let leave = () => {};

export class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** What to do when the session has ended. */
export function whenSignedOut(act) {
  leave = act;
}

export const signedOut = () => leave();

/** Whether a session may be there: its proof is in a cookie that scripts may read. */
export const hasSession = () => proof() !== "";

function proof() {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith("csrf="));
  return found ? found.slice("csrf=".length) : "";
}

export function address(path, query = {}) {
  const asked = new URLSearchParams(query).toString();
  return BASE + path + (asked ? `?${asked}` : "");
}

export const get = (path, query, signal) => ask("GET", path, { query, signal });

/** A write; a repeat after an answer that was lost is the same write. */
export async function send(method, path, body, query) {
  const key = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-");
  try {
    return await ask(method, path, { body, query, key });
  } catch (error) {
    if (error instanceof Refused) throw error;
    return ask(method, path, { body, query, key });
  }
}

async function ask(method, path, { query, body, key, signal }) {
  const headers = { Accept: "application/json" };
  if (key) Object.assign(headers, { "Idempotency-Key": key, "X-CSRF-Token": proof() });
  if (body instanceof Blob) headers["Content-Type"] = "text/csv";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
  const response = await fetch(address(path, query), { method, headers, body: sent, signal });
  note(response);
  if (response.ok) return response.status === 204 ? null : told(response);
  if (response.status === 401 && path !== "/sessions") leave();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

/** What is told, with the services in `degraded` whose part of it is missing. */
async function told(response) {
  const silent = response.headers.get("Degraded");
  const whole = await response.json();
  return silent ? { ...whole, degraded: silent.split(", ") } : whole;
}

let ahead = 0;

function note(response) {
  const said = Date.parse(response.headers.get("Date") ?? "");
  if (said) ahead = Math.abs(said - Date.now()) > 2000 ? said - Date.now() : 0;
}

/** The server's clock, in milliseconds. */
export const now = () => Date.now() + ahead;
