/**
 * The icons of calls. The colour of the handset is the side of the call: navy outbound, green inbound, yellow
 * missed, red failed, grey a network error. The mark beside it is the result: tick reached, cross
 * unreachable, arrow down dropped, dashes ringing or no answer, turning arrows connecting, squares channels, ring
 * offline, question mark unknown.
 */

import { t } from "../lib/i18n.js";
import { svg } from "./dom.js";

const HANDSET =
  "M5.2 6.6 7.9 5.8c.6-.2 1.2.1 1.5.7l1.2 2.7c.2.5.1 1.1-.3 1.5l-1.5 1.4a13 13 0 0 0 5.1 5.1l1.4-1.5" +
  "c.4-.4 1-.5 1.5-.3l2.7 1.2c.6.3.9.9.7 1.5l-.8 2.7c-.2.6-.7 1-1.4 1A16 16 0 0 1 4.2 8c0-.7.4-1.2 1-1.4Z";

const MARKS = {
  tick: ["M15.5 6.5l2.5 2.5 4.5-5"],
  cross: ["M16.5 3.5l5.5 5.5", "M22 3.5l-5.5 5.5"],
  down: ["M19 2.5v7", "M15.8 6.5l3.2 3.2 3.2-3.2"],
  dashes: ["M14.5 3.5h2.2", "M18.3 3.5h2.2", "M14.5 7h2.2M18.3 7h2.2M22 7h.6M22 3.5h.6"],
  turning: ["M15 5.6a4 4 0 0 1 6.8-1.5", "M22.2 2v2.6h-2.6", "M22.6 7a4 4 0 0 1-6.8 1.5", "M15.4 10.6V8h2.6"],
  squares: ["M15.5 3h2.6v2.6h-2.6z", "M20 3h2.6v2.6H20z", "M15.5 7.5h2.6v2.6h-2.6z", "M20 7.5h2.6v2.6H20z"],
  ring: ["M22.5 6.3a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0z"],
  question: ["M16.6 4.8a2.5 2.5 0 1 1 3.7 2.2c-.8.4-1.2.8-1.2 1.5", "M19.1 10.9v.1"],
  in: ["M22 3l-6.5 6.5", "M15.5 4.8v4.7h4.7"],
  out: ["M15.5 9.5L22 3", "M17.3 3H22v4.7"],
  inside: ["M15.5 4.5H22", "M20 2.5l2 2-2 2", "M22 9.2h-6.5", "M17.5 7.2l-2 2 2 2"],
};

/** The mark of each status, and the colour where it does not follow the direction. */
const STATUSES = {
  answered: ["tick"],
  returned: ["tick", "missed"],
  connecting: ["turning"],
  ringing: ["dashes"],
  no_answer: ["dashes", "failed"],
  missed: ["dashes", "missed"],
  missed_offline: ["ring", "missed"],
  cancelled: ["down"],
  declined: ["down", "failed"],
  unreachable: ["cross", "failed"],
  network_error: ["down", "network"],
  no_channels: ["squares", "network"],
  unknown_error: ["question", "failed"],
};
export const STATUS_NAMES = Object.keys(STATUSES);
export const SIDES = ["inbound", "outbound", "internal"];
const ARROWS = { inbound: "in", outbound: "out", internal: "inside" };

export function statusIcon(status, side) {
  const [mark, colour = side] = STATUSES[status];
  return handset(mark, colour, t(`status_${status}`), status === "ringing" || status === "connecting");
}

export const sideIcon = (side) => handset(ARROWS[side], side, t(`side_${side}`));

function handset(mark, colour, label, isMoving = false) {
  return svg(
    "svg",
    {
      viewBox: "1.5 .5 23.5 23.5",
      class: `icon call ${colour}${isMoving ? " moves" : ""}`,
      role: "img",
      "aria-label": label,
    },
    svg("title", {}, label),
    svg("path", { class: "handset", d: HANDSET }),
    svg(
      "g",
      { class: `mark ${mark}` },
      MARKS[mark].map((d) => svg("path", { d })),
    ),
  );
}

const ICON_PATHS = {
  chevron: "M8 10l4 4 4-4",
  comment:
    "M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-7.5L7.5 20v-3.5H5A1.5 1.5 0 0 1 3.5 15V7A1.5 1.5 0 0 1 5 5.5zM8 9.5h8M8 12.7h5",
  play: "M8 5.5v13l11-6.5z",
  pause: "M8.5 6v12M15.5 6v12",
  download: "M12 4.5v10M7.5 10.5l4.5 4.5 4.5-4.5M5 19h14",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  filter: "M4 6h16M7 12h10M10 18h4",
  columns: "M4 5h16v14H4zM9.5 5v14M15 5v14",
  home: "M4 11l8-6.5 8 6.5M6 9.5V19h12V9.5M10 19v-5h4v5",
  statistics: "M5 19v-6M10 19V9M15 19v-8M20 19V5",
  calendar: "M4.5 6h15v13.5h-15zM4.5 10.5h15M8.5 3.5V7M15.5 3.5V7",
  journal: "M6 4h12v16H6zM9 8.5h6M9 12h6M9 15.5h4",
  legend: "M5 7h.01M9 7h10M5 12h.01M9 12h10M5 17h.01M9 17h10",
  contacts: "M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM5 19.5c.8-3.3 3.5-5 7-5s6.2 1.7 7 5",
  accounts:
    "M9 11.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 18.5c.5-2.8 2.6-4.3 5.5-4.3s5 1.5 5.5 4.3M15.5 5.8a3 3 0 0 1 0 5.4M17 14.6c2 .5 3.2 1.8 3.5 3.9",
  tariffs: "M4.5 6.5h15v11h-15zM12 14.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM7.5 12h.01M16.5 12h.01",
  settings:
    "M4 7h9M17 7h3M4 12h2M10 12h10M4 17h7M15 17h5M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM13 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  report: "M5 4h14v16H5zM9 16v-3M12 16V9M15 16v-5",
  menu: "M4 7h16M4 12h16M4 17h16",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1",
  moon: "M19.5 14A8 8 0 0 1 10 4.5a8 8 0 1 0 9.5 9.5z",
  leave: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
  plus: "M12 5.5v13M5.5 12h13",
  edit: "M5 19l.8-3.5L16 5.3l2.7 2.7L8.5 18.2z",
  remove: "M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7M10.5 10.5v5M13.5 10.5v5",
  again: "M5.5 12a6.5 6.5 0 0 1 11.3-4.4L19 10M19 5v5h-5M18.5 12a6.5 6.5 0 0 1-11.3 4.4L5 14M5 19v-5h5",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  up: "M12 19V6M6.5 11.5L12 6l5.5 5.5",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  volume: "M5 10v4h3l4 3.5v-11L8 10zM15.5 9.5a3.5 3.5 0 0 1 0 5M17.8 7.2a6.8 6.8 0 0 1 0 9.6",
  key: "M9 14.5a4 4 0 1 1 3.5-6H21v3h-2v2.5h-3V11.5h-3.5A4 4 0 0 1 9 14.5zM8.5 10.5h.01",
  calm: "M4 13h3l2-6 4 11 2.5-7 1 2H20",
  warning: "M12 4.5L21 19.5H3zM12 10v4.5M12 17h.01",
};

/** A decorative icon, hidden from screen readers. */
export function drawIcon(name, extra = "") {
  const attributes = {
    viewBox: "0 0 24 24",
    class: `icon line-icon ${extra}`,
    "aria-hidden": "true",
    focusable: "false",
  };
  return svg("svg", attributes, svg("path", { d: ICON_PATHS[name] }));
}

/** The mark of the party that ended the call. */
export function endedMark() {
  const attributes = { viewBox: "0 0 12 12", class: "icon ended", role: "img", "aria-label": t("ended_here") };
  return svg("svg", attributes, svg("title", {}, t("ended_here")), svg("circle", { cx: 6, cy: 6, r: 3.8 }));
}
