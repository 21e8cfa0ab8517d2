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
/** A place that few go to is fetched when somebody does. */
const fetched =
  (name) =>
  async (...words) =>
    (await import(`./views/${name}.js`))[name](...words);
/** Each place: its word and icon, who may be there, what shows it, and beside which other it is found. */
const PLACES = {
  "/": { word: "home", roles: ALL, show: home },
  "/journal": { word: "journal", roles: ALL, show: journal, within: "statistics" },
  "/legend": { word: "legend", roles: ALL, show: fetched("legend"), within: "statistics" },
  "/contacts": { word: "contacts", roles: ALL, show: fetched("contacts") },
  "/accounts": { word: "accounts", roles: ADMINISTRATORS, show: fetched("accounts") },
  "/tariffs": { word: "tariffs", roles: ACCOUNTING, show: fetched("tariffs") },
  "/rerating": { word: "rerating", roles: ACCOUNTING, show: fetched("rerating"), beside: "/tariffs" },
  "/charges": { word: "charges", roles: ACCOUNTING, show: fetched("charges"), beside: "/tariffs" },
  "/report": { word: "report", roles: ACCOUNTING, show: fetched("report"), beside: "/tariffs" },
  "/settings": { word: "settings", roles: ADMINISTRATORS, show: fetched("settings") },
  "/keys": { word: "keys", roles: ADMINISTRATORS, show: fetched("keys"), beside: "/settings" },
};
const root = document.getElementById("page");
let me = null;
let leavePlace = () => {};
let turn = 0;

function theme(kept = localStorage.getItem("theme")) {
  if (kept) document.documentElement.dataset.theme = kept;
}

/** Go somewhere; `keep` replaces what the way back leads to. */
function go(href, { keep = false } = {}) {
  history[keep ? "replaceState" : "pushState"](null, "", href);
  show({ focus: !keep });
}

function leave() {
  turn += 1;
  leavePlace();
  leavePlace = () => {};
}

async function show({ focus = false } = {}) {
  leave();
  document.documentElement.lang = t("language_name") === "English" ? "en" : "uk";
  if (!me && hasSession()) {
    try {
      me = await get("/me");
    } catch (error) {
      if (error.status === 401) return undefined;
      return root.replaceChildren(el("main", { class: "alone" }, failureNote(error, show)));
    }
    useZone(me.time_zone);
  }
  if (!me) return welcome();
  const place = PLACES[location.pathname];
  const allowed = place?.roles.includes(me.role);
  document.title = `${t(allowed ? place.word : "not_found")} · ${t("title")}`;
  const main = shell(root, { me, places: PLACES, redraw: show });
  if (!allowed) main.append(emptyNote("journal", t("not_found"), ""));
  else await enter(place, main);
  if (focus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

async function enter(place, main) {
  const mine = turn;
  const left = (await place.show(main, { me, go, query: new URLSearchParams(location.search) })) ?? (() => {});
  if (mine === turn) leavePlace = left;
  else left();
}

function welcome(note) {
  document.title = `${t("sign_in")} · ${t("title")}`;
  root.replaceChildren(signIn({ note, redraw: () => welcome(), entered: () => show({ focus: true }) }));
}

onSignedOut((word = "session_ended") => {
  leave();
  me = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  welcome(t(word));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.hasAttribute("download") || link.target || link.getAttribute("href").startsWith("/api/")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", () => show());
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.status !== 401) showToast(t("error_server"), "bad");
});

theme();
show();
