/** Calls without a price: the reasons, and a retry. */

import { send } from "../api.js";
import { moment, phone } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { reason, showCall } from "./details.js";
import { el, showToast } from "./dom.js";
import { button, list, tool } from "./lists.js";
import { emptyNote, errorText } from "./placeholders.js";

const RELOAD_DELAY_MS = 2500;
const MAX_CALLS_PER_RETRY = 1000;

export function charges(main, { me }) {
  const seesAll = me.role === "administrator";
  let unpriced = [];
  const retryAll = button("again", "charges_retry_all", () => retry(unpriced.map((charge) => charge.call_id)), "main");
  const table = list({
    path: "/charges",
    name: "charges",
    columns: [
      ["charges_failed_at", (charge) => moment(charge.failed_at)],
      ["charges_reason", (charge) => el("span", { class: "first" }, reason(charge.reason))],
      ["number", (charge) => (charge.number ? el("bdi", {}, phone(charge.number)) : t("none"))],
      ["charges_due_at", (charge) => moment(charge.due_at)],
    ],
    actions: (charge) =>
      [
        seesAll && tool("calm", "charges_show", () => showCall(charge.call_id)),
        tool("again", "charges_retry", () => retry([charge.call_id])),
      ].filter(Boolean),
    renderEmpty: () => emptyNote("tariffs", t("charges_empty"), t("charges_empty_hint")),
    onItems: (items) => {
      unpriced = items;
      retryAll.hidden = !items.length;
    },
  });

  async function retry(call_ids) {
    retryAll.disabled = true;
    try {
      let n = 0;
      for (let offset = 0; offset < call_ids.length; offset += MAX_CALLS_PER_RETRY) {
        n += (await send("POST", "/charges/retry", { call_ids: call_ids.slice(offset, offset + MAX_CALLS_PER_RETRY) }))
          .retried;
      }
      showToast(t("charges_retried", { n }));
      setTimeout(() => main.isConnected && table.load(), RELOAD_DELAY_MS);
    } catch (error) {
      if (error.status !== 401) showToast(errorText(error), "bad");
    } finally {
      retryAll.disabled = false;
    }
  }

  retryAll.hidden = true;
  main.append(
    el("div", { class: "heading" }, el("h1", {}, t("charges_title")), el("span", { class: "space" }), retryAll),
    el("p", { class: "lead" }, t("charges_intro")),
    table.element,
  );
}
