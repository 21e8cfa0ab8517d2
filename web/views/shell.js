/** The shell around every view: navigation, account menu, language and theme. */

import { handleSignedOut, send } from "../api.js";
import { changeLanguage } from "../language.js";
import { language, t } from "../lib/i18n.js";
import { el, put, showToast } from "./dom.js";
import { dropdown, field, openDialog } from "./forms.js";
import { drawn } from "./icons.js";

const MARK = new URL("../mark.svg", import.meta.url).href;
const GROUP_OPEN = "statistics_open";

export function shell(root, { me, places, redraw }) {
  const main = el("main", { id: "content", tabindex: -1 }, tabs(me, places));
  const nav = el("nav", { id: "nav", "aria-label": t("menu") }, links(me, places));
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
    drawn("menu"),
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
      person(me),
    ),
    el("div", { class: "below" }, nav, main),
  );
  return main;
}

function links(me, places) {
  const shown = Object.entries(places).filter(([, place]) => place.roles.includes(me.role) && !place.beside);
  const here = places[location.pathname]?.beside ?? location.pathname;
  const item = ([path, place]) =>
    el(
      "li",
      {},
      el(
        "a",
        { href: path, "aria-current": path === here && (here === location.pathname ? "page" : "true") },
        drawn(place.word),
        el("span", {}, t(place.word)),
      ),
    );
  const first = shown.findIndex(([, place]) => place.within);
  const within = shown.filter(([, place]) => place.within);
  const rest = shown.filter(([, place]) => !place.within).map(item);
  rest.splice(first, 0, group("statistics", within, item));
  return el("ul", {}, rest);
}

/** The places beside each other, where there are several. */
function tabs(me, places) {
  const first = places[location.pathname]?.beside ?? location.pathname;
  const shown = Object.entries(places).filter(
    ([path, place]) => place.roles.includes(me.role) && (path === first || place.beside === first),
  );
  const link = ([path, place]) =>
    el("a", { href: path, "aria-current": path === location.pathname && "page" }, t(place.word));
  return shown.length > 1 ? el("nav", { class: "tabs", "aria-label": t(places[first].word) }, shown.map(link)) : "";
}

/** Places that stand together; the group never closes over the place that is shown. */
function group(word, places, item) {
  const here = places.some(([path]) => path === location.pathname);
  const list = el("ul", { id: `group-${word}` }, places.map(item));
  const button = el(
    "button",
    { type: "button", class: "group", "aria-controls": list.id },
    drawn(word),
    el("span", {}, t(word)),
    drawn("chevron"),
  );
  const open = (is) => {
    list.hidden = !is;
    button.setAttribute("aria-expanded", is);
  };
  open(here || sessionStorage.getItem(GROUP_OPEN) === word);
  button.addEventListener("click", () => {
    open(here || list.hidden);
    if (list.hidden) sessionStorage.removeItem(GROUP_OPEN);
    else if (here) sessionStorage.setItem(GROUP_OPEN, word);
  });
  return el("li", {}, button, list);
}

export function languageButton(redraw) {
  const other = language() === "uk" ? "en" : "uk";
  const about = {
    type: "button",
    class: "tool text",
    lang: other,
    title: t("other_language"),
    "aria-label": t("other_language"),
  };
  return el("button", { ...about, onclick: () => changeLanguage(other).then(redraw) }, other === "uk" ? "Укр" : "Eng");
}

export function themeButton() {
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const button = el("button", { type: "button", class: "tool" });
  const draw = () => {
    put(button, String(dark()), () => drawn(dark() ? "sun" : "moon"));
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

function person(me) {
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
      drawn("key"),
      t("change_password"),
    ),
    el("button", { type: "button", class: "row", onclick: leave }, drawn("leave"), t("sign_out")),
  );
  return dropdown(button, box);
}

async function leave() {
  await send("DELETE", "/sessions/current");
  history.replaceState(null, "", "/");
  signedOutBy("");
}

function signedOutBy(text) {
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
      signedOutBy(t("password_changed"));
    },
  });
}
