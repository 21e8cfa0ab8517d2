/** Accounts and their lines, for administrators. */

import { send } from "../api.js";
import { brief, phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { choice, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

const ROLES = ["operator", "supervisor", "accountant", "administrator"];
const isHeld = (line) => !line.until || Date.parse(line.until) > Date.now();

export function accounts(main) {
  const made = list({
    path: "/accounts",
    name: "accounts",
    hint: t("accounts_search"),
    columns: [
      [
        "name",
        (one) =>
          el(
            "a",
            { class: "first", href: `/journal?account=${one.id}`, title: t("account_calls") },
            el("bdi", {}, one.name),
          ),
      ],
      ["login", (one) => el("bdi", {}, one.login)],
      ["role", (one) => t(`role_${one.role}`)],
      [
        "lines",
        (one) =>
          one.lines
            .filter(isHeld)
            .map((line) => phone(line.address))
            .join(", "),
      ],
      [
        "status",
        (one) =>
          el("span", { class: `pill ${one.disabled ? "off" : "live"}` }, t(one.disabled ? "disabled" : "enabled")),
      ],
    ],
    actions: (one) => [tool("edit", "edit", () => change(one, made.load))],
    empty: () => emptyNote("accounts", t("nothing_found"), ""),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("accounts"))),
    el(
      "div",
      { class: "toolbar" },
      made.search,
      el("span", { class: "space" }),
      button("plus", "account_add", () => add(made.load), "main"),
    ),
    made.element,
  );
}

const roles = (chosen) =>
  choice(
    ROLES.map((role) => [role, t(`role_${role}`)]),
    chosen,
    { name: "role" },
  );
const text = (name, about = {}) => el("input", { name, maxlength: 200, autocomplete: "off", ...about });

function add(done) {
  openDialog({
    title: t("account_add"),
    content: [
      field(t("name"), text("name")),
      field(t("login"), text("login", { maxlength: 128, autocapitalize: "none", spellcheck: "false" })),
      field(t("password"), text("password", { type: "password", maxlength: 1024, autocomplete: "new-password" })),
      field(t("role"), roles("operator")),
      field(t("lines"), text("lines"), t("lines_hint")),
    ],
    act: async ({ lines, ...values }) => {
      const addresses = lines
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean);
      await send("POST", "/accounts", { ...values, lines: addresses.map((one) => ({ address: one })) });
      showToast(t("account_saved"));
      done();
    },
  });
}

function change(account, done) {
  const path = `/accounts/${account.id}`;
  openDialog({
    title: t("account_edit"),
    content: [
      field(t("name"), text("name", { value: account.name })),
      field(t("role"), roles(account.role)),
      field(
        t("password_new"),
        text("password", { type: "password", maxlength: 1024, autocomplete: "new-password" }),
        t("password_leave"),
      ),
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", name: "enabled", checked: !account.disabled }),
        t("may_sign_in"),
      ),
      linesOf(account, path, done),
    ],
    act: async ({ password, name, role, enabled }) => {
      await send("PATCH", path, { name, role, disabled: enabled !== "on", ...(password && { password }) });
      showToast(t("account_saved"));
      done();
    },
  });
}

function linesOf(account, path, done) {
  const items = el("ul", { class: "lines" });
  const address = text("", { "aria-label": t("number"), maxlength: 128 });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const tried = async (act) => {
    wrong.hidden = true;
    try {
      await act();
      draw();
      done();
    } catch (error) {
      wrong.hidden = false;
      wrong.textContent = errorText(error);
    }
  };
  const end = (line) =>
    tried(async () => {
      const until = new Date().toISOString();
      Object.assign(line, await send("PATCH", `${path}/lines/${line.id}`, { until }));
    });
  const give = () =>
    address.value.trim() &&
    tried(async () => {
      account.lines.push(
        await send("POST", `${path}/lines`, { address: address.value.trim(), from: new Date().toISOString() }),
      );
      address.value = "";
    });
  function draw() {
    const span = (line) =>
      [
        line.from ? t("line_since", { at: brief(line.from) }) : t("line_ever"),
        line.until && t("line_ended", { at: brief(line.until) }),
      ]
        .filter(Boolean)
        .join(" ");
    items.replaceChildren(
      ...account.lines.map((line) =>
        el(
          "li",
          { class: isHeld(line) ? null : "quiet" },
          el("b", {}, phone(line.address)),
          el("small", {}, span(line)),
          isHeld(line) && el("button", { type: "button", class: "link", onclick: () => end(line) }, t("line_end")),
        ),
      ),
    );
  }
  address.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    give();
  });
  draw();
  return el(
    "fieldset",
    { class: "lines" },
    el("legend", {}, t("lines")),
    items,
    el("div", { class: "between" }, address, button("plus", "line_add", give)),
    wrong,
  );
}
