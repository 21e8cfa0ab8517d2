/** API keys, for administrators: create, show once, revoke. */

import { send } from "../api.js";
import { moment } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { choice, confirmDialog, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote } from "./placeholders.js";

const KINDS = ["ingest", "export"];

export function keys(main) {
  const addButton = () => button("plus", "key_add", () => add(table.load), "main");
  const table = list({
    path: "/api-keys",
    name: "api_keys",
    columns: [
      ["key_name", (apiKey) => el("bdi", { class: "first" }, apiKey.name)],
      ["key_kind", (apiKey) => t(`key_${apiKey.kind}`)],
      ["key_created", (apiKey) => moment(apiKey.created_at)],
      [
        "key_used",
        (apiKey) =>
          apiKey.last_used_at ? moment(apiKey.last_used_at) : el("span", { class: "quiet" }, t("key_never_used")),
      ],
    ],
    actions: (apiKey) => [tool("remove", "key_revoke", () => revoke(apiKey, table.load))],
    renderEmpty: () => emptyNote("key", t("keys_empty"), t("keys_empty_hint"), addButton()),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("keys_title")), el("span", { class: "space" }), addButton()),
    el("p", { class: "lead" }, t("keys_intro")),
    table.element,
  );
}

function add(onSaved) {
  let key = "";
  const dialog = openDialog({
    title: t("key_add"),
    content: [
      field(t("key_name"), el("input", { name: "name", maxlength: 200, autocomplete: "off" }), t("key_name_hint")),
      field(
        t("key_kind"),
        choice(
          KINDS.map((kind) => [kind, t(`key_${kind}`)]),
          "ingest",
          { name: "kind" },
        ),
      ),
    ],
    action: t("key_make"),
    act: async (values) => {
      ({ key } = await send("POST", "/api-keys", values));
      onSaved();
      showAfterClose();
    },
  });
  // Show the key after the dialog is closed, even if that was before the response: the server never returns it again.
  const showAfterClose = () => {
    if (!key || dialog.open) return;
    showKey(key);
    key = "";
  };
  dialog.addEventListener("close", showAfterClose);
}

function showKey(key) {
  const input = el("input", { class: "secret", readonly: true, name: "key", value: key, spellcheck: "false" });
  const copy = async () => {
    input.select();
    await navigator.clipboard?.writeText(key).then(
      () => showToast(t("key_copied")),
      () => {},
    );
  };
  openDialog({
    title: t("key_made"),
    content: [el("p", {}, t("key_made_hint")), field(t("key"), input), el("p", {}, button("copy", "key_copy", copy))],
    action: t("key_done"),
    act: async () => {},
  });
  input.select();
}

function revoke(key, onSaved) {
  confirmDialog(
    t("key_ask_revoke", { name: key.name }),
    async () => {
      await send("DELETE", `/api-keys/${key.id}`);
      showToast(t("key_revoked"));
      onSaved();
    },
    t("key_revoke"),
  );
}
