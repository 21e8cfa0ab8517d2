/** The page begins: who is there, which place is asked for, and what is around it. */

import { get, hasSession, whenSignedOut } from "./api.js";
import { accounts } from "./accounts.js";
import { contacts } from "./contacts.js";
import { el, say } from "./dom.js";
import { useZone } from "./formats.js";
import { home } from "./home.js";
import { journal } from "./journal.js";
import { legend } from "./legend.js";
import { shell } from "./shell.js";
import { signIn } from "./signin.js";
import { failure, nothing } from "./states.js";
import { tariffs } from "./tariffs.js";
import { t } from "./words.js";

const LEADERS = ["administrator", "supervisor"];
const ALL = [...LEADERS, "operator", "accountant"];
/** Each place: its word and icon, who may be there, and what shows it. */
const PLACES = {
  "/": { word: "home", roles: ALL, show: home },
  "/journal": { word: "journal", roles: ALL, show: journal, within: "statistics" },
  "/legend": { word: "legend", roles: ALL, show: legend, within: "statistics" },
  "/contacts": { word: "contacts", roles: ALL, show: contacts },
  "/accounts": { word: "accounts", roles: ["administrator"], show: accounts },
  "/tariffs": { word: "tariffs", roles: ["administrator", "accountant"], show: tariffs },
};
const root = document.getElementById("page");
let me = null;
let leavePlace = () => {};

function theme(kept = localStorage.getItem("theme")) {
  if (kept) document.documentElement.dataset.theme = kept;
}

/** Go somewhere; `keep` replaces what the way back leads to. */
function go(href, { keep = false } = {}) {
  history[keep ? "replaceState" : "pushState"](null, "", href);
  show({ focus: !keep });
}

async function show({ focus = false } = {}) {
  leavePlace();
  leavePlace = () => {};
  document.documentElement.lang = t("language_name") === "English" ? "en" : "uk";
  if (!me && hasSession()) {
    try {
      me = await get("/me");
    } catch (error) {
      if (error.status === 401) return undefined;
      return root.replaceChildren(el("main", { class: "alone" }, failure(error, show)));
    }
    useZone(me.time_zone);
  }
  if (!me) return welcome();
  const place = PLACES[location.pathname];
  const allowed = place?.roles.includes(me.role);
  document.title = `${t(allowed ? place.word : "not_found")} · ${t("title")}`;
  const main = shell(root, { me, places: PLACES, go, redraw: show });
  if (!allowed) main.append(nothing("journal", t("not_found"), ""));
  else leavePlace = place.show(main, { me, go, query: new URLSearchParams(location.search) }) ?? (() => {});
  if (focus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function welcome(note) {
  document.title = `${t("sign_in")} · ${t("title")}`;
  root.replaceChildren(signIn({ note, redraw: () => welcome(), entered: () => show({ focus: true }) }));
}

whenSignedOut((word = "session_ended") => {
  leavePlace();
  leavePlace = () => {};
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
  if (event.reason?.status !== 401) say(t("error_server"), "bad");
});

theme();
show();
