/** What every icon means. */

import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { drawIcon, endedMark, SIDES, STATUS_NAMES, sideIcon, statusIcon } from "./icons.js";

const INBOUND = new Set(["answered", "missed", "missed_offline", "returned", "connecting"]);
const COLOURS = ["outbound", "inbound", "missed", "failed", "network"];

export function legend(main) {
  const item = (icon, ...content) => el("li", {}, icon, el("span", {}, ...content));
  const list = (title, items) =>
    el("section", { class: "card" }, el("h2", {}, title), el("ul", { class: "meanings" }, items));
  main.append(
    el("h1", {}, t("legend")),
    el("p", { class: "lead" }, t("legend_intro")),
    list(
      t("legend_statuses"),
      STATUS_NAMES.map((status) =>
        item(
          statusIcon(status, INBOUND.has(status) ? "inbound" : "outbound"),
          el("b", {}, t(`short_${status}`)),
          el("br"),
          t(`status_${status}`),
        ),
      ),
    ),
    list(
      t("legend_types"),
      SIDES.map((side) => item(sideIcon(side), t(`side_${side}`))),
    ),
    list(
      t("legend_colours"),
      COLOURS.map((colour) => item(el("span", { class: `swatch ${colour}` }), t(`colour_${colour}`))),
    ),
    list(t("legend_marks"), [
      item(endedMark(), t("ended_here")),
      item(drawIcon("comment", "has"), t("legend_comment")),
      item(drawIcon("play", "has"), t("legend_play")),
    ]),
  );
}
