/** Contacts: names for numbers. */

import { address, send } from "../api.js";
import { isLeader } from "../lib/calls.js";
import { phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { confirmDialog, field, openDialog } from "./forms.js";
import { drawn } from "./icons.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

export function contacts(main, { me }) {
  const leads = isLeader(me);
  const made = list({
    path: "/contacts",
    name: "contacts",
    hint: t("contacts_search"),
    columns: [
      ["name", (one) => el("bdi", { class: "first" }, one.name)],
      [
        "number",
        (one) =>
          el(
            "a",
            { href: `/journal?${new URLSearchParams({ party: one.number })}`, title: t("contact_calls") },
            phone(one.number),
          ),
      ],
      ["note", (one) => el("bdi", { class: "quiet" }, one.note ?? "")],
    ],
    actions: (one) =>
      [
        tool("edit", "edit", () => edit(one, made.load)),
        leads && tool("remove", "remove", () => remove(one, made.load)),
      ].filter(Boolean),
    empty: () =>
      emptyNote(
        "contacts",
        t("contacts_empty"),
        t("contacts_empty_hint"),
        button("plus", "contact_add", () => edit(null, made.load), "main"),
      ),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("contacts"))),
    el(
      "div",
      { class: "toolbar" },
      made.search,
      el("span", { class: "space" }),
      ...(leads ? [importButton(made.load)] : []),
      el(
        "a",
        { class: "plain", href: address("/contacts/export"), download: true },
        drawn("download"),
        t("contacts_export"),
      ),
      button("plus", "contact_add", () => edit(null, made.load), "main"),
    ),
    made.element,
  );
}

function edit(contact, done) {
  const input = (name, about) => el("input", { name, value: contact?.[name] ?? "", required: true, ...about });
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
      done();
    },
  });
}

function remove(contact, done) {
  confirmDialog(t("contact_ask_remove", { name: contact.name }), async () => {
    await send("DELETE", `/contacts/${contact.id}`);
    showToast(t("contact_removed"));
    done();
  });
}

function importButton(done) {
  const file = el("input", { type: "file", accept: ".csv,text/csv", hidden: true });
  file.addEventListener("change", async () => {
    try {
      showToast(t("contacts_imported", await send("POST", "/contacts/import", file.files[0])));
      done();
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
