/** The client of the public API: the session is in a cookie, the CSRF token of a write in a header. */

/**
 * @typedef {Record<string, string | number> | string[][]} Query
 * @typedef {object} Problem The body of an error response.
 * @property {string} [code]
 * @property {string} [title]
 * @property {string} [detail]
 * @property {string} [instance]
 * @property {Record<string, object[]>} [errors] the errors of each field
 * @typedef {{ query?: Query, body?: unknown, key?: string, signal?: AbortSignal }} RequestOptions
 *   `key` is the idempotency key of a write.
 */

const BASE_PATH = "/api/v1";
/** A smaller difference to the server's clock is ignored: `Date` has no fraction of a second. */
const MIN_CLOCK_OFFSET_MS = 2000;
let clockOffset = 0;
/** @type {(key?: string) => void} */
let signedOutHandler = () => {};

export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Problem} problem
   * @param {number} retryAfter in seconds; 0 if the response has none
   */
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/**
 * Set what to do after the session has ended.
 * @param {(key?: string) => void} handler
 */
export function onSignedOut(handler) {
  signedOutHandler = handler;
}

export const handleSignedOut = () => signedOutHandler();

/** Whether there may be a session: its CSRF token is in a cookie that scripts can read. */
export const hasSession = () => csrfToken() !== "";

function csrfToken() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrf="));
  return cookie ? cookie.slice("csrf=".length) : "";
}

/**
 * The address of a resource.
 * @param {string} path
 * @param {Query} query
 */
export function address(path, query = {}) {
  const pairs = Array.isArray(query) ? query : Object.entries(query).map(([name, value]) => [name, String(value)]);
  const parameters = new URLSearchParams(pairs).toString();
  return BASE_PATH + path + (parameters ? `?${parameters}` : "");
}

/**
 * @param {string} path
 * @param {Query} [query]
 * @param {AbortSignal} [signal]
 */
export const get = (path, query, signal) => request("GET", path, { query, signal });

/**
 * Send a write. If the response is lost, repeat it with the same idempotency key.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] a value that is sent as JSON, or a CSV file
 * @param {Query} [query]
 */
export async function send(method, path, body, query) {
  const key = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-");
  try {
    return await request(method, path, { body, query, key });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return request(method, path, { body, query, key });
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {RequestOptions} options
 */
async function request(method, path, { query, body, key, signal }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (key) Object.assign(headers, { "Idempotency-Key": key, "X-CSRF-Token": csrfToken() });
  if (body instanceof Blob) headers["Content-Type"] = "text/csv";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  const content = body instanceof Blob ? body : body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(address(path, query), { method, headers, body: content, signal });
  updateClock(response);
  if (response.ok) return response.status === 204 ? null : readBody(response);
  if (response.status === 401 && path !== "/sessions") signedOutHandler();
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

/**
 * The body of a response; `degraded` lists the services whose part is missing.
 * @param {Response} response
 */
async function readBody(response) {
  const degraded = response.headers.get("Degraded");
  const body = await response.json();
  return degraded ? { ...body, degraded: degraded.split(", ") } : body;
}

/** @param {Response} response */
function updateClock(response) {
  const serverTime = Date.parse(response.headers.get("Date") ?? "");
  if (!serverTime) return;
  const offset = serverTime - Date.now();
  clockOffset = Math.abs(offset) > MIN_CLOCK_OFFSET_MS ? offset : 0;
}

/** The server's clock, in milliseconds. */
export const now = () => Date.now() + clockOffset;
