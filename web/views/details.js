/** The details of a call: times, price with its explanation, comment, timeline. */

import { ApiError, get, now } from "../api.js";
import { isPriceLate } from "../lib/calls.js";
import { clock, day, duration, moment, money, party, phone, soon } from "../lib/formats.js";
import { has, t } from "../lib/i18n.js";
import { commentBox } from "./comment.js";
import { el, put, withUnbrokenPhones } from "./dom.js";
import { openDialog } from "./forms.js";

const REASONS = new Set(["no_tariff", "no_rate", "talk_too_long"]);

/** Returns {element, update(entry)}; `onComment(comment)` is called after a comment was written here. */
export function details(entry, me, onComment) {
  const facts = el("dl", { class: "facts" });
  const price = el("div", { class: "price-details", hidden: true });
  const comment = el("div", { class: "comment-box" });
  const timeline = el("div", { class: "timeline" });
  const element = el("div", { class: "call-details" }, el("div", {}, facts, price), comment, timeline);
  let current;

  const explain = async (button) => {
    const opens = price.hidden;
    price.hidden = !opens;
    button.setAttribute("aria-expanded", opens);
    button.lastChild.textContent = t(opens ? "price_hide" : "price_why");
    if (opens) await showPrice(price, current);
  };

  function update(next) {
    const before = current;
    current = next;
    put(facts, JSON.stringify([next, isPriceLate(next, now())]), () => factsOf(next, !price.hidden, explain));
    put(comment, JSON.stringify(next.comment), () => commentBox(next, me, onComment));
    if (!before || timelineKey(before) !== timelineKey(next)) showTimeline(timeline, next);
    if (before && !price.hidden && before.price.amount !== next.price.amount) showPrice(price, next);
  }
  update(entry);
  return { element, update };
}

const timelineKey = (entry) =>
  JSON.stringify([
    entry.status,
    entry.phase,
    entry.rung,
    entry.offline,
    entry.comment,
    entry.price.state,
    entry.recording.state,
  ]);

function factsOf(entry, isExplained, explain) {
  const time = (instant) => (instant ? [clock(instant), " ", el("span", { class: "quiet" }, day(instant))] : t("none"));
  const fact = (key, ...content) => [el("dt", {}, t(key)), el("dd", {}, ...content)];
  const hasPrice = entry.price.state === "priced" || entry.price.state === "failed";
  const priceToggle = () =>
    el(
      "button",
      {
        type: "button",
        class: "price-toggle",
        "aria-expanded": String(isExplained),
        onclick: (event) => explain(event.currentTarget),
      },
      priceText(entry),
      " ",
      el("span", { class: "link" }, t(isExplained ? "price_hide" : "price_why")),
    );
  return [
    el("dt", { class: "hidden" }, t("status")),
    el("dd", { class: "whole" }, t(`status_${entry.status}`)),
    fact("began", time(entry.placed_at)),
    fact("talk_began", time(entry.answered_at)),
    fact("ended", time(entry.ended_at)),
    fact("waited", entry.wait_seconds === null ? t("none") : duration(entry.wait_seconds)),
    fact("price", hasPrice ? priceToggle() : priceText(entry)),
    entry.line && fact("line", ...withUnbrokenPhones(phone(entry.line))),
    entry.answered_by &&
      entry.answered_by.name !== entry.callee.name &&
      fact("answered_by", el("bdi", {}, party(entry.answered_by).name)),
    entry.returned_by &&
      fact(
        "returned_by",
        el("button", { type: "button", class: "link", onclick: () => showCall(entry.returned_by) }, t("show_call")),
      ),
  ]
    .flat()
    .filter(Boolean);
}

function priceText(entry) {
  const { price, phase } = entry;
  if (price.state === "priced") return el("b", {}, money(price.amount, price.currency));
  if (price.state === "failed")
    return el("span", { class: "bad" }, t("price_failed", { reason: reason(price.reason) }));
  if (price.state === "not_due")
    return el("span", { class: "quiet" }, phase === "ended" ? t("none") : t("price_after_end"));
  return el(
    "span",
    { class: "quiet" },
    isPriceLate(entry, now()) ? t("price_late") : t("price_due", { at: soon(price.due_at) }),
  );
}

export const reason = (code) => t(REASONS.has(code) ? `reason_${code}` : "reason_other");

async function showPrice(box, entry) {
  box.replaceChildren(el("p", { class: "quiet" }, t("loading")));
  const response = await fetchFor(box, `/calls/${entry.call_id}/price`);
  if (response === undefined) return undefined;
  if (!response) return box.replaceChildren(el("p", { class: "bad" }, t("degraded_billing")));
  const line = (leg) =>
    el(
      "li",
      {},
      el("b", {}, `${t(`price_leg_${leg.leg}`)}: ${money(leg.amount, response.currency)}`),
      calculation(leg, response.currency).map((sentence) => el("p", {}, withUnbrokenPhones(sentence))),
    );
  const earlier = response.history
    .filter((price) => price.amount !== null)
    .map((price) =>
      el(
        "li",
        { class: "quiet" },
        t("price_before", { amount: money(price.amount, price.currency), at: moment(price.priced_at ?? price.due_at) }),
      ),
    );
  return box.replaceChildren(
    el(
      "h2",
      { class: "small" },
      response.tariff
        ? t("price_tariff", { version: "1", ...response.tariff })
        : response.reason
          ? t("price_failed", { reason: reason(response.reason) })
          : t("price_free"),
    ),
    el("ul", {}, response.lines.map(line), earlier),
  );
}

async function showTimeline(box, entry) {
  const heading = el("h2", { class: "small" }, t("timeline"));
  if (!box.childElementCount) box.replaceChildren(heading, el("p", { class: "quiet" }, t("loading")));
  const response = await fetchFor(box, `/calls/${entry.call_id}/timeline`);
  if (response === undefined) return;
  const unavailable = (response ? (response.degraded ?? []) : ["calls"]).map((owner) =>
    el("li", { class: "unavailable" }, el("span"), el("span", { class: "quiet" }, t(`away_${owner}`))),
  );
  box.replaceChildren(
    heading,
    el(
      "ol",
      {},
      (response?.events ?? []).map((event) => step(event, entry)),
      unavailable,
    ),
  );
}

/** The calculation of the amount of a leg, one sentence per line. */
function calculation(leg, currency) {
  const amount = (decimal) => money(decimal, currency);
  const seconds = [
    t("price_talked", { talk: leg.talk_seconds, billed: leg.billed_seconds }),
    leg.free_seconds > 0 && t("price_free_seconds", { free: leg.free_seconds }),
    t("price_steps", { minimum: leg.minimum_seconds, increment: leg.increment_seconds }),
  ];
  const prices = [
    t("price_rate", { per_minute: amount(leg.per_minute) }),
    Number(leg.connection_fee) > 0 && t("price_fee", { fee: amount(leg.connection_fee) }),
    Number(leg.minimal_charge) > 0 && t("price_minimal", { minimal: amount(leg.minimal_charge) }),
  ];
  const number = t("price_number", { number: phone(leg.number), prefix: leg.prefix || t("price_any_prefix") });
  return [number, ...[seconds, prices].map((parts) => parts.filter(Boolean).join("; "))];
}

/** Fetch the content of a box: null if the service is unavailable, undefined if the box has sent a newer request. */
async function fetchFor(box, path) {
  const request = Symbol(path);
  box.latestRequest = request;
  const response = await get(path).catch((error) => {
    if (error instanceof ApiError || error.name === "TypeError") return null;
    throw error;
  });
  return box.latestRequest === request ? response : undefined;
}

function step({ type, at, data, by }, entry) {
  const after = Math.round((Date.parse(at) - Date.parse(entry.placed_at)) / 1000);
  const content = [...withUnbrokenPhones(stepText(type, data, entry)), by && el("span", { class: "quiet" }, `, ${by}`)];
  return el(
    "li",
    { class: type },
    el("time", { datetime: at, title: after > 0 ? `+${duration(after)}` : null }, clock(at)),
    el("span", {}, content),
  );
}

function stepText(type, data, entry) {
  const nameOf = (address) => {
    const match = [entry.answered_by, entry.callee, entry.caller].find(
      (party) => party?.name && party.address === address,
    );
    return match ? `${match.name} (${phone(address)})` : phone(address ?? "");
  };
  const key = type === "call_connecting" && data.group ? "event_call_connecting_group" : `event_${type}`;
  if (!has(key)) return type;
  return t(key, {
    callee: phone(data.callee ?? ""),
    group: data.group,
    party: nameOf(data.party),
    to: phone(data.to ?? ""),
    by: has(`by_${data.by}`) ? t(`by_${data.by}`) : "",
    amount: data.price ? money(data.price.amount, data.price.currency) : "",
    reason: reason(data.reason),
  });
}

/** Show one call in a dialog. */
export async function showCall(id) {
  const entry = await get(`/calls/${id}`);
  const me = { role: "", account: {}, lines: [] };
  const title = `${party(entry.caller).name} → ${party(entry.callee).name}`;
  const dialog = openDialog({ title, content: [details(entry, me, () => {}).element], act: () => {} });
  dialog.classList.add("wide");
  dialog.querySelector("footer").hidden = true;
}
