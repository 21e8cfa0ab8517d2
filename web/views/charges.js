/** Calls that could not be priced, why, and rating them once more. */

import { send } from "../api.js";
import { moment, phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { reason, showCall } from "./details.js";
import { el, showToast } from "./dom.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

const SOON = 2500;
const MOST_RETRIED = 1000;

export function charges(main, { me }) {
  const seesAll = me.role === "administrator";
  let shown = [];
  const all = button("again", "charges_retry_all", () => retry(shown.map((one) => one.call_id)), "main");
  const made = list({
    path: "/charges",
    name: "charges",
    columns: [
      ["charges_failed_at", (one) => moment(one.failed_at)],
      ["charges_reason", (one) => el("span", { class: "first" }, reason(one.reason))],
      ["number", (one) => (one.number ? el("bdi", {}, phone(one.number)) : t("none"))],
      ["charges_due_at", (one) => moment(one.due_at)],
    ],
    actions: (one) =>
      [
        seesAll && tool("calm", "charges_show", () => showCall(one.call_id)),
        tool("again", "charges_retry", () => retry([one.call_id])),
      ].filter(Boolean),
    empty: () => emptyNote("tariffs", t("charges_empty"), t("charges_empty_hint")),
    told: (items) => {
      shown = items;
      all.hidden = !items.length;
    },
  });

  async function retry(call_ids) {
    all.disabled = true;
    try {
      let n = 0;
      for (let at = 0; at < call_ids.length; at += MOST_RETRIED) {
        n += (await send("POST", "/charges/retry", { call_ids: call_ids.slice(at, at + MOST_RETRIED) })).retried;
      }
      showToast(t("charges_retried", { n }));
      setTimeout(() => main.isConnected && made.load(), SOON);
    } catch (error) {
      if (error.status !== 401) showToast(errorText(error), "bad");
    } finally {
      all.disabled = false;
    }
  }

  all.hidden = true;
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("charges_title")), el("span", { class: "space" }), all),
    el("p", { class: "lead" }, t("charges_intro")),
    made.element,
  );
}
