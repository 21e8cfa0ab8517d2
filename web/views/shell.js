/** The shell around every view: navigation, account menu, language and theme. */

import { handleSignedOut, send } from "../api.js";
import { changeLanguage } from "../language.js";
import { language, t } from "../lib/i18n.js";
import { el, put, showToast } from "./dom.js";
import { dropdown, field, openDialog } from "./forms.js";
import { drawIcon } from "./icons.js";

const MARK = new URL("../mark.svg", import.meta.url).href;
const GROUP_OPEN = "statistics_open";

export function shell(root, { me, routes, redraw }) {
  const main = el("main", { id: "content", tabindex: -1 }, tabs(me, routes));
  const nav = el("nav", { id: "nav", "aria-label": t("menu") }, links(me, routes));
  const toggle = el(
    "button",
    {
      type: "button",
      class: "tool only-small",
      "aria-controls": "nav",
      "aria-expanded": "false",
      "aria-label": t("menu"),
      title: t("menu"),
    },
    drawIcon("menu"),
  );
  toggle.addEventListener("click", () => {
    const open = nav.classList.toggle("open");
    toggle.setAttribute("aria-expanded", open);
  });
  root.replaceChildren(
    el("button", { type: "button", class: "skip", onclick: () => main.focus() }, t("skip")),
    el(
      "header",
      { class: "top" },
      toggle,
      el("a", { class: "brand", href: "/" }, el("img", { src: MARK, alt: "" }), t("brand")),
      el("span", { class: "space" }),
      languageButton(redraw),
      themeButton(),
      accountMenu(me),
    ),
    el("div", { class: "below" }, nav, main),
  );
  return main;
}

function links(me, routes) {
  const visible = Object.entries(routes).filter(([, route]) => route.roles.includes(me.role) && !route.tabOf);
  const currentPath = routes[location.pathname]?.tabOf ?? location.pathname;
  const item = ([path, route]) =>
    el(
      "li",
      {},
      el(
        "a",
        { href: path, "aria-current": path === currentPath && (currentPath === location.pathname ? "page" : "true") },
        drawIcon(route.key),
        el("span", {}, t(route.key)),
      ),
    );
  const first = visible.findIndex(([, route]) => route.group);
  const grouped = visible.filter(([, route]) => route.group);
  const rest = visible.filter(([, route]) => !route.group).map(item);
  rest.splice(first, 0, groupItem("statistics", grouped, item));
  return el("ul", {}, rest);
}

/** The tabs of a route, if it has several. */
function tabs(me, routes) {
  const first = routes[location.pathname]?.tabOf ?? location.pathname;
  const visible = Object.entries(routes).filter(
    ([path, route]) => route.roles.includes(me.role) && (path === first || route.tabOf === first),
  );
  const link = ([path, route]) =>
    el("a", { href: path, "aria-current": path === location.pathname && "page" }, t(route.key));
  return visible.length > 1 ? el("nav", { class: "tabs", "aria-label": t(routes[first].key) }, visible.map(link)) : "";
}

/** A group of routes; it stays open while one of its routes is shown. */
function groupItem(key, routes, item) {
  const isCurrent = routes.some(([path]) => path === location.pathname);
  const list = el("ul", { id: `group-${key}` }, routes.map(item));
  const button = el(
    "button",
    { type: "button", class: "group", "aria-controls": list.id },
    drawIcon(key),
    el("span", {}, t(key)),
    drawIcon("chevron"),
  );
  const setOpen = (isOpen) => {
    list.hidden = !isOpen;
    button.setAttribute("aria-expanded", isOpen);
  };
  setOpen(isCurrent || sessionStorage.getItem(GROUP_OPEN) === key);
  button.addEventListener("click", () => {
    setOpen(isCurrent || list.hidden);
    if (list.hidden) sessionStorage.removeItem(GROUP_OPEN);
    else if (isCurrent) sessionStorage.setItem(GROUP_OPEN, key);
  });
  return el("li", {}, button, list);
}

export function languageButton(redraw) {
  const other = language() === "uk" ? "en" : "uk";
  const attributes = {
    type: "button",
    class: "tool text",
    lang: other,
    title: t("other_language"),
    "aria-label": t("other_language"),
  };
  return el(
    "button",
    { ...attributes, onclick: () => changeLanguage(other).then(redraw) },
    other === "uk" ? "Укр" : "Eng",
  );
}

export function themeButton() {
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const button = el("button", { type: "button", class: "tool" });
  const draw = () => {
    put(button, String(dark()), () => drawIcon(dark() ? "sun" : "moon"));
    button.title = t(dark() ? "to_light" : "to_dark");
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
    draw();
  });
  draw();
  return button;
}

function accountMenu(me) {
  const initials = me.account.name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0])
    .join("");
  const button = el(
    "button",
    { type: "button", class: "person", title: t("account_menu") },
    el("span", { class: "face", "aria-hidden": "true" }, initials),
    el("span", { class: "who" }, el("b", {}, me.account.name), el("small", {}, t(`role_${me.role}`))),
  );
  const box = el(
    "div",
    { class: "box" },
    el("p", { class: "quiet" }, `${me.account.login} · ${me.tenant}`),
    me.lines.length > 0 &&
      el("p", { class: "quiet" }, `${t("lines")}: ${me.lines.map((line) => line.address).join(", ")}`),
    el(
      "button",
      { type: "button", class: "row", "data-closes": true, onclick: changePassword },
      drawIcon("key"),
      t("change_password"),
    ),
    el("button", { type: "button", class: "row", onclick: signOut }, drawIcon("leave"), t("sign_out")),
  );
  return dropdown(button, box);
}

async function signOut() {
  await send("DELETE", "/sessions/current");
  history.replaceState(null, "", "/");
  showSignedOut("");
}

function showSignedOut(text) {
  handleSignedOut();
  const note = document.querySelector(".sign-in-page .note");
  if (note) note.hidden = true;
  if (text) showToast(text);
}

function changePassword() {
  const input = (name, autocomplete) => el("input", { name, type: "password", autocomplete, maxlength: 1024 });
  openDialog({
    title: t("change_password"),
    content: [
      field(t("password_now"), input("current", "current-password")),
      field(t("password_new"), input("new", "new-password"), t("password_hint")),
    ],
    act: async (values) => {
      await send("PUT", "/me/password", values);
      showSignedOut(t("password_changed"));
    },
  });
}
