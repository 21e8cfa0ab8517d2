/** Accounts and their lines, for administrators. */

import { send } from "../api.js";
import { brief, phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { choice, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

const ROLES = ["operator", "supervisor", "accountant", "administrator"];
const isActive = (line) => !line.until || Date.parse(line.until) > Date.now();

export function accounts(main) {
  const table = list({
    path: "/accounts",
    name: "accounts",
    hint: t("accounts_search"),
    columns: [
      [
        "name",
        (account) =>
          el(
            "a",
            { class: "first", href: `/journal?account=${account.id}`, title: t("account_calls") },
            el("bdi", {}, account.name),
          ),
      ],
      ["login", (account) => el("bdi", {}, account.login)],
      ["role", (account) => t(`role_${account.role}`)],
      [
        "lines",
        (account) =>
          account.lines
            .filter(isActive)
            .map((line) => phone(line.address))
            .join(", "),
      ],
      [
        "status",
        (account) =>
          el(
            "span",
            { class: `pill ${account.disabled ? "off" : "live"}` },
            t(account.disabled ? "disabled" : "enabled"),
          ),
      ],
    ],
    actions: (account) => [tool("edit", "edit", () => change(account, table.load))],
    renderEmpty: () => emptyNote("accounts", t("nothing_found"), ""),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("accounts"))),
    el(
      "div",
      { class: "toolbar" },
      table.search,
      el("span", { class: "space" }),
      button("plus", "account_add", () => add(table.load), "main"),
    ),
    table.element,
  );
}

const roles = (chosen) =>
  choice(
    ROLES.map((role) => [role, t(`role_${role}`)]),
    chosen,
    { name: "role" },
  );
const text = (name, attributes = {}) => el("input", { name, maxlength: 200, autocomplete: "off", ...attributes });

function add(onSaved) {
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
        .map((address) => address.trim())
        .filter(Boolean);
      await send("POST", "/accounts", { ...values, lines: addresses.map((address) => ({ address })) });
      showToast(t("account_saved"));
      onSaved();
    },
  });
}

function change(account, onSaved) {
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
      lineEditor(account, path, onSaved),
    ],
    act: async ({ password, name, role, enabled }) => {
      await send("PATCH", path, { name, role, disabled: enabled !== "on", ...(password && { password }) });
      showToast(t("account_saved"));
      onSaved();
    },
  });
}

function lineEditor(account, path, onSaved) {
  const items = el("ul", { class: "lines" });
  const address = text("", { "aria-label": t("number"), maxlength: 128 });
  const errorNote = el("p", { class: "field-error", role: "alert", hidden: true });
  const attempt = async (save) => {
    errorNote.hidden = true;
    try {
      await save();
      draw();
      onSaved();
    } catch (error) {
      errorNote.hidden = false;
      errorNote.textContent = errorText(error);
    }
  };
  const endLine = (line) =>
    attempt(async () => {
      const until = new Date().toISOString();
      Object.assign(line, await send("PATCH", `${path}/lines/${line.id}`, { until }));
    });
  const addLine = () =>
    address.value.trim() &&
    attempt(async () => {
      account.lines.push(
        await send("POST", `${path}/lines`, { address: address.value.trim(), from: new Date().toISOString() }),
      );
      address.value = "";
    });
  function draw() {
    const period = (line) =>
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
          { class: isActive(line) ? null : "quiet" },
          el("b", {}, phone(line.address)),
          el("small", {}, period(line)),
          isActive(line) &&
            el("button", { type: "button", class: "link", onclick: () => endLine(line) }, t("line_end")),
        ),
      ),
    );
  }
  address.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    addLine();
  });
  draw();
  return el(
    "fieldset",
    { class: "lines" },
    el("legend", {}, t("lines")),
    items,
    el("div", { class: "between" }, address, button("plus", "line_add", addLine)),
    errorNote,
  );
}
