/** Keys of machines: made, shown once, revoked. For administrators. */

import { send } from "../api.js";
import { moment } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { choice, confirmDialog, field, openDialog } from "./forms.js";
import { button, list, tool } from "./lists.js";
import { emptyNote } from "./placeholders.js";

const KINDS = ["ingest", "export"];

export function keys(main) {
  const adds = () => button("plus", "key_add", () => add(made.load), "main");
  const made = list({
    path: "/api-keys",
    name: "api_keys",
    columns: [
      ["key_name", (one) => el("bdi", { class: "first" }, one.name)],
      ["key_kind", (one) => t(`key_${one.kind}`)],
      ["key_created", (one) => moment(one.created_at)],
      [
        "key_used",
        (one) => (one.last_used_at ? moment(one.last_used_at) : el("span", { class: "quiet" }, t("key_never_used"))),
      ],
    ],
    actions: (one) => [tool("remove", "key_revoke", () => revoke(one, made.load))],
    empty: () => emptyNote("key", t("keys_empty"), t("keys_empty_hint"), adds()),
  });
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("keys_title")), el("span", { class: "space" }), adds()),
    el("p", { class: "lead" }, t("keys_intro")),
    made.element,
  );
}

function add(done) {
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
      done();
      show();
    },
  });
  // Once the dialog is shut, also if that was before the key came: it is never told again.
  const show = () => {
    if (!key || dialog.open) return;
    showKey(key);
    key = "";
  };
  dialog.addEventListener("close", show);
}

function showKey(key) {
  const shown = el("input", { class: "secret", readonly: true, name: "key", value: key, spellcheck: "false" });
  const copy = async () => {
    shown.select();
    await navigator.clipboard?.writeText(key).then(
      () => showToast(t("key_copied")),
      () => {},
    );
  };
  openDialog({
    title: t("key_made"),
    content: [el("p", {}, t("key_made_hint")), field(t("key"), shown), el("p", {}, button("copy", "key_copy", copy))],
    action: t("key_done"),
    act: async () => {},
  });
  shown.select();
}

function revoke(key, done) {
  confirmDialog(
    t("key_ask_revoke", { name: key.name }),
    async () => {
      await send("DELETE", `/api-keys/${key.id}`);
      showToast(t("key_revoked"));
      done();
    },
    t("key_revoke"),
  );
}
