/** The entry point: session, routes and the shell of the page. */

import "./language.js";
import { get, hasSession, onSignedOut } from "./api.js";
import { useZone } from "./lib/formats.js";
import { t } from "./lib/i18n.js";
import { el, showToast } from "./views/dom.js";
import { home } from "./views/home.js";
import { journal } from "./views/journal.js";
import { emptyNote, failureNote } from "./views/placeholders.js";
import { shell } from "./views/shell.js";
import { signIn } from "./views/signin.js";

const LEADERS = ["administrator", "supervisor"];
const ALL = [...LEADERS, "operator", "accountant"];
const ADMINISTRATORS = ["administrator"];
const ACCOUNTING = [...ADMINISTRATORS, "accountant"];
/** Import a view that is seldom used only when it is opened. */
const lazyView =
  (name) =>
  async (...args) =>
    (await import(`./views/${name}.js`))[name](...args);
/** Each path: its message key and icon, its roles, its view, and its navigation group or the path whose tabs it joins. */
const ROUTES = {
  "/": { key: "home", roles: ALL, view: home },
  "/journal": { key: "journal", roles: ALL, view: journal, group: "statistics" },
  "/legend": { key: "legend", roles: ALL, view: lazyView("legend"), group: "statistics" },
  "/contacts": { key: "contacts", roles: ALL, view: lazyView("contacts") },
  "/accounts": { key: "accounts", roles: ADMINISTRATORS, view: lazyView("accounts") },
  "/tariffs": { key: "tariffs", roles: ACCOUNTING, view: lazyView("tariffs") },
  "/rerating": { key: "rerating", roles: ACCOUNTING, view: lazyView("rerating"), tabOf: "/tariffs" },
  "/charges": { key: "charges", roles: ACCOUNTING, view: lazyView("charges"), tabOf: "/tariffs" },
  "/report": { key: "report", roles: ACCOUNTING, view: lazyView("report"), tabOf: "/tariffs" },
  "/settings": { key: "settings", roles: ADMINISTRATORS, view: lazyView("settings") },
  "/keys": { key: "keys", roles: ADMINISTRATORS, view: lazyView("keys"), tabOf: "/settings" },
};
const root = document.getElementById("page");
let me = null;
let stopCurrentView = () => {};
let navigationCount = 0;

function applyTheme(stored = localStorage.getItem("theme")) {
  if (stored) document.documentElement.dataset.theme = stored;
}

/** Go to a path; `replace` replaces the current history entry. */
function go(href, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href);
  render({ focus: !replace });
}

function leave() {
  navigationCount += 1;
  stopCurrentView();
  stopCurrentView = () => {};
}

async function render({ focus = false } = {}) {
  leave();
  document.documentElement.lang = t("language_name") === "English" ? "en" : "uk";
  if (!me && hasSession()) {
    try {
      me = await get("/me");
    } catch (error) {
      if (error.status === 401) return undefined;
      return root.replaceChildren(el("main", { class: "alone" }, failureNote(error, render)));
    }
    useZone(me.time_zone);
  }
  if (!me) return showSignIn();
  const route = ROUTES[location.pathname];
  const allowed = route?.roles.includes(me.role);
  document.title = `${t(allowed ? route.key : "not_found")} · ${t("title")}`;
  const main = shell(root, { me, routes: ROUTES, redraw: render });
  if (!allowed) main.append(emptyNote("journal", t("not_found"), ""));
  else await enter(route, main);
  if (focus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

async function enter(route, main) {
  const navigation = navigationCount;
  const stopView = (await route.view(main, { me, go, query: new URLSearchParams(location.search) })) ?? (() => {});
  if (navigation === navigationCount) stopCurrentView = stopView;
  else stopView();
}

function showSignIn(note) {
  document.title = `${t("sign_in")} · ${t("title")}`;
  root.replaceChildren(signIn({ note, redraw: () => showSignIn(), onSignedIn: () => render({ focus: true }) }));
}

onSignedOut((key = "session_ended") => {
  leave();
  me = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  showSignIn(t(key));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.hasAttribute("download") || link.target || link.getAttribute("href").startsWith("/api/")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", () => render());
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.status !== 401) showToast(t("error_server"), "bad");
});

applyTheme();
render();
