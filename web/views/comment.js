/** The comment on a call: its dialog and its box in the details. A conflict keeps both texts. */

import { get, send } from "../api.js";
import { lengthOf, MAX_LENGTH, mayEdit, truncate } from "../lib/comment_text.js";
import { moment } from "../lib/formats.js";
import { t } from "../lib/i18n.js";
import { el, showToast } from "./dom.js";
import { confirmDialog, dropdown, openDialog } from "./forms.js";
import { drawIcon } from "./icons.js";

function limitLength(area, counter) {
  const check = () => {
    if (lengthOf(area.value) > MAX_LENGTH) {
      const [text, caret] = truncate(area.value, area.selectionStart);
      area.value = text;
      area.setSelectionRange(caret, caret);
    }
    const length = lengthOf(area.value);
    counter.textContent = t("comment_count", { n: length });
    counter.classList.toggle("full", length >= MAX_LENGTH);
  };
  area.addEventListener("input", (event) => event.isComposing || check());
  area.addEventListener("compositionend", check);
  check();
}

/** Open the dialog. `onChange(comment)` is called with the current comment. */
export function openCommentDialog(entry, onChange) {
  let version = entry.comment?.version ?? 0;
  const area = el("textarea", {
    name: "text",
    rows: 4,
    id: "comment-input",
    "aria-describedby": "comment-limit comment-count",
    "aria-label": t("comment"),
  });
  area.value = entry.comment?.text ?? "";
  const counter = el("span", { id: "comment-count", class: "count" });
  const conflict = el("div", { class: "comment-conflict", hidden: true, role: "alert" });
  limitLength(area, counter);

  async function act({ text }) {
    if (!text.trim()) {
      area.focus();
      throw Object.assign(new Error(), { isShown: true });
    }
    try {
      const comment = await send("PUT", `/calls/${entry.call_id}/comment`, { text, version });
      onChange(comment);
      showToast(t("comment_saved"));
    } catch (error) {
      if (error.status !== 409) throw error;
      const current = error.problem.current ?? null;
      version = current?.version ?? 0;
      onChange(current);
      conflict.hidden = false;
      conflict.replaceChildren(
        el("p", {}, current ? t("comment_conflict", { name: current.author.name }) : t("comment_conflict_gone")),
        ...(current ? [el("blockquote", {}, el("b", {}, t("comment_theirs")), el("bdi", {}, current.text))] : []),
      );
      area.focus();
      throw Object.assign(new Error(), { isShown: true });
    }
  }

  const note = el("p", { class: "hint between" }, el("span", { id: "comment-limit" }, t("comment_limit")), counter);
  openDialog({ title: t("comment_write"), content: [conflict, area, note], act }).classList.add("comment");
}

/** The comment in the details of a call, with its actions. */
export function commentBox(entry, me, onChange) {
  const { comment } = entry;
  const heading = el("h2", { class: "small" }, t("comment"));
  if (!comment) {
    const add = el(
      "button",
      { type: "button", class: "plain", onclick: () => openCommentDialog(entry, onChange) },
      drawIcon("plus"),
      t("add"),
    );
    return [heading, el("p", { class: "quiet" }, t("comment_none")), me.role && add];
  }
  const versions = el("ol", { class: "versions", hidden: true });
  const editedNote =
    comment.updated_at !== comment.created_at && ` · ${t("comment_edited", { at: moment(comment.updated_at) })}`;
  return [
    el("div", { class: "between" }, heading, menu(entry, me, onChange, versions)),
    el("p", { class: "comment-text" }, el("bdi", {}, comment.text)),
    el(
      "p",
      { class: "quiet" },
      el("bdi", {}, t("comment_by", { name: comment.author.name, at: moment(comment.created_at) })),
      editedNote,
    ),
    versions,
  ];
}

function menu(entry, me, onChange, versions) {
  const attributes = { type: "button", class: "tool", "aria-label": t("more_actions"), title: t("more_actions") };
  const item = (icon, key, act) =>
    el("button", { type: "button", class: "row", "data-closes": true, onclick: act }, drawIcon(icon), t(key));
  const isEditable = mayEdit(entry.comment, me);
  const box = el(
    "div",
    { class: "box" },
    isEditable && item("edit", "edit", () => openCommentDialog(entry, onChange)),
    isEditable && item("remove", "remove", () => removeComment(entry, onChange)),
    item("calm", "comment_history", () => showVersions(entry, versions)),
  );
  return dropdown(el("button", attributes, drawIcon("more")), box);
}

function removeComment(entry, onChange) {
  confirmDialog(t("comment_ask_remove"), async () => {
    await send("DELETE", `/calls/${entry.call_id}/comment`);
    onChange(null);
    showToast(t("comment_removed"));
  });
}

async function showVersions(entry, list) {
  const { versions } = await get(`/calls/${entry.call_id}/comment/history`);
  const item = ({ action, text, author, at }) =>
    el(
      "li",
      {},
      el("span", { class: "quiet" }, `${moment(at)} · ${author.name} · ${t(`action_${action}`)}`),
      text && el("p", {}, el("bdi", {}, text)),
    );
  list.replaceChildren(...versions.map(item));
  list.hidden = false;
}
