/** The client of the public API: the session is in a cookie, the CSRF token of a write in a header. */

const BASE = "/api/v1";
let signedOutHandler = () => {};

export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Set what to do after the session has ended. */
export function onSignedOut(act) {
  signedOutHandler = act;
}

export const handleSignedOut = () => signedOutHandler();

/** Whether there may be a session: its CSRF token is in a cookie that scripts can read. */
export const hasSession = () => csrfToken() !== "";

function csrfToken() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrf="));
  return cookie ? cookie.slice("csrf=".length) : "";
}

export function address(path, query = {}) {
  const parameters = new URLSearchParams(query).toString();
  return BASE + path + (parameters ? `?${parameters}` : "");
}

export const get = (path, query, signal) => request("GET", path, { query, signal });

/** Send a write. If the response is lost, repeat it with the same idempotency key. */
export async function send(method, path, body, query) {
  const key = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-");
  try {
    return await request(method, path, { body, query, key });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return request(method, path, { body, query, key });
  }
}

async function request(method, path, { query, body, key, signal }) {
  const headers = { Accept: "application/json" };
  if (key) Object.assign(headers, { "Idempotency-Key": key, "X-CSRF-Token": csrfToken() });
  if (body instanceof Blob) headers["Content-Type"] = "text/csv";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  const payload = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
  const response = await fetch(address(path, query), { method, headers, body: payload, signal });
  noteServerTime(response);
  if (response.ok) return response.status === 204 ? null : readBody(response);
  if (response.status === 401 && path !== "/sessions") signedOutHandler();
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

/** The body of a response; `degraded` lists the services whose part is missing. */
async function readBody(response) {
  const degraded = response.headers.get("Degraded");
  const content = await response.json();
  return degraded ? { ...content, degraded: degraded.split(", ") } : content;
}

let clockOffset = 0;

function noteServerTime(response) {
  const serverTime = Date.parse(response.headers.get("Date") ?? "");
  if (serverTime) clockOffset = Math.abs(serverTime - Date.now()) > 2000 ? serverTime - Date.now() : 0;
}

/** The server's clock, in milliseconds. */
export const now = () => Date.now() + clockOffset;
