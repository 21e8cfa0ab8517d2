/** The comment on a call: written, edited, deleted; who wrote meanwhile is shown, and nobody's text is lost. */

import { get, send } from "../api.js";
import { el, say } from "./dom.js";
import { ask, confirmed, drop } from "./forms.js";
import { moment } from "../lib/formats.js";
import { drawn } from "./icons.js";
import { t } from "../lib/i18n.js";

export const LONGEST = 200;
const MAY_ALL = new Set(["administrator", "supervisor"]);

/** Whether this comment may be changed by who looks; the server decides all the same. */
export const maySay = (comment, me) => MAY_ALL.has(me.role) || comment.author.account_id === me.account.id;

export const lengthOf = (text) => [...text.normalize("NFC")].length;

/** The text with what came in before the caret shortened until all of it fits. */
export function fitted(text, caret) {
  let [before, after] = [[...text.slice(0, caret)], text.slice(caret)];
  while (before.length && lengthOf(before.join("") + after) > LONGEST) before.pop();
  const kept = before.join("") + after;
  const short = lengthOf(kept) > LONGEST ? [...kept.normalize("NFC")].slice(0, LONGEST).join("") : kept;
  return [short, before.join("").length];
}

function limit(area, counter) {
  const check = () => {
    if (lengthOf(area.value) > LONGEST) {
      const [text, caret] = fitted(area.value, area.selectionStart);
      area.value = text;
      area.setSelectionRange(caret, caret);
    }
    const length = lengthOf(area.value);
    counter.textContent = t("comment_count", { n: length });
    counter.classList.toggle("full", length >= LONGEST);
  };
  area.addEventListener("input", (event) => event.isComposing || check());
  area.addEventListener("compositionend", check);
  check();
}

/** The dialog. `written(comment)` is told of the comment as it is now. */
export function writeComment(entry, written) {
  let version = entry.comment?.version ?? 0;
  const area = el("textarea", { name: "text", rows: 4, id: "comment-text", "aria-describedby": "comment-limit comment-count", "aria-label": t("comment") });
  area.value = entry.comment?.text ?? "";
  const counter = el("span", { id: "comment-count", class: "count" });
  const theirs = el("div", { class: "theirs", hidden: true, role: "alert" });
  limit(area, counter);

  async function act({ text }) {
    if (!text.trim()) {
      area.focus();
      throw Object.assign(new Error(), { shown: true });
    }
    try {
      const comment = await send("PUT", `/calls/${entry.call_id}/comment`, { text, version });
      written(comment);
      say(t("comment_saved"));
    } catch (error) {
      if (error.status !== 409) throw error;
      const current = error.problem.current ?? null;
      version = current?.version ?? 0;
      written(current);
      theirs.hidden = false;
      theirs.replaceChildren(
        el("p", {}, current ? t("comment_conflict", { name: current.author.name }) : t("comment_conflict_gone")),
        ...(current ? [el("blockquote", {}, el("b", {}, t("comment_theirs")), el("bdi", {}, current.text))] : []),
      );
      area.focus();
      throw Object.assign(new Error(), { shown: true });
    }
  }

  const note = el("p", { class: "hint between" }, el("span", { id: "comment-limit" }, t("comment_limit")), counter);
  ask({ title: t("comment_write"), content: [theirs, area, note], act }).classList.add("comment");
}

/** The comment in an opened row, with what may be done to it. */
export function commentBox(entry, me, changed) {
  const { comment } = entry;
  const heading = el("h2", { class: "small" }, t("comment"));
  if (!comment) {
    const add = el("button", { type: "button", class: "plain", onclick: () => writeComment(entry, changed) }, drawn("plus"), t("add"));
    return [heading, el("p", { class: "quiet" }, t("comment_none")), me.role && add];
  }
  const versions = el("ol", { class: "versions", hidden: true });
  const changedAt = comment.updated_at !== comment.created_at && ` · ${t("comment_edited", { at: moment(comment.updated_at) })}`;
  return [
    el("div", { class: "between" }, heading, menu(entry, me, changed, versions)),
    el("p", { class: "said" }, el("bdi", {}, comment.text)),
    el("p", { class: "quiet" }, el("bdi", {}, t("comment_by", { name: comment.author.name, at: moment(comment.created_at) })), changedAt),
    versions,
  ];
}

function menu(entry, me, changed, versions) {
  const about = { type: "button", class: "tool", "aria-label": t("more_actions"), title: t("more_actions") };
  const item = (icon, word, act) => el("button", { type: "button", class: "row", "data-closes": true, onclick: act }, drawn(icon), t(word));
  const mine = maySay(entry.comment, me);
  const box = el(
    "div",
    { class: "box" },
    mine && item("edit", "edit", () => writeComment(entry, changed)),
    mine && item("remove", "remove", () => removeComment(entry, changed)),
    item("calm", "comment_history", () => showVersions(entry, versions)),
  );
  return drop(el("button", about, drawn("more")), box);
}

function removeComment(entry, changed) {
  confirmed(t("comment_ask_remove"), async () => {
    await send("DELETE", `/calls/${entry.call_id}/comment`);
    changed(null);
    say(t("comment_removed"));
  });
}

async function showVersions(entry, list) {
  const { versions } = await get(`/calls/${entry.call_id}/comment/history`);
  const line = ({ action, text, author, at }) =>
    el("li", {}, el("span", { class: "quiet" }, `${moment(at)} · ${author.name} · ${t(`action_${action}`)}`), text && el("p", {}, el("bdi", {}, text)));
  list.replaceChildren(...versions.map(line));
  list.hidden = false;
}
