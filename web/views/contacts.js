/** Contacts: names for numbers. */

import { address, send } from "../api.js";
import { isLeader } from "../lib/calls.js";
import { phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { confirmDialog, field, openDialog } from "./forms.js";
import { drawIcon } from "./icons.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

export function contacts(main, { me }) {
  const mayManage = isLeader(me);
  const table = list({
    path: "/contacts",
    name: "contacts",
    hint: t("contacts_search"),
    columns: [
      ["name", (contact) => el("bdi", { class: "first" }, contact.name)],
      [
        "number",
        (contact) =>
          el(
            "a",
            { href: `/journal?${new URLSearchParams({ party: contact.number })}`, title: t("contact_calls") },
            phone(contact.number),
          ),
      ],
      ["note", (contact) => el("bdi", { class: "quiet" }, contact.note ?? "")],
    ],
    actions: (contact) =>
      [
        tool("edit", "edit", () => edit(contact, table.load)),
        mayManage && tool("remove", "remove", () => remove(contact, table.load)),
      ].filter(Boolean),
    renderEmpty: () =>
      emptyNote(
        "contacts",
        t("contacts_empty"),
        t("contacts_empty_hint"),
        button("plus", "contact_add", () => edit(null, table.load), "main"),
      ),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("contacts"))),
    el(
      "div",
      { class: "toolbar" },
      table.search,
      el("span", { class: "space" }),
      ...(mayManage ? [importButton(table.load)] : []),
      el(
        "a",
        { class: "plain", href: address("/contacts/export"), download: true },
        drawIcon("download"),
        t("contacts_export"),
      ),
      button("plus", "contact_add", () => edit(null, table.load), "main"),
    ),
    table.element,
  );
}

function edit(contact, onSaved) {
  const input = (name, attributes) =>
    el("input", { name, value: contact?.[name] ?? "", required: true, ...attributes });
  openDialog({
    title: t(contact ? "contact_edit" : "contact_add"),
    content: [
      field(t("name"), input("name", { maxlength: 200, autocomplete: "off" })),
      field(t("number"), input("number", { maxlength: 128, inputmode: "tel", autocomplete: "off" })),
      field(t("note"), el("textarea", { name: "note", rows: 3, maxlength: 1000, value: contact?.note ?? "" })),
    ],
    act: async (values) => {
      await (contact ? send("PUT", `/contacts/${contact.id}`, values) : send("POST", "/contacts", values));
      showToast(t("contact_saved"));
      onSaved();
    },
  });
}

function remove(contact, onSaved) {
  confirmDialog(t("contact_ask_remove", { name: contact.name }), async () => {
    await send("DELETE", `/contacts/${contact.id}`);
    showToast(t("contact_removed"));
    onSaved();
  });
}

function importButton(onSaved) {
  const file = el("input", { type: "file", accept: ".csv,text/csv", hidden: true });
  file.addEventListener("change", async () => {
    try {
      showToast(t("contacts_imported", await send("POST", "/contacts/import", file.files[0])));
      onSaved();
    } catch (error) {
      showToast(errorText(error), "bad");
    }
    file.value = "";
  });
  return el(
    "span",
    {},
    file,
    button("up", "contacts_import", () => file.click()),
  );
}
