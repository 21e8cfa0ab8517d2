/** Dialogs and the fields in them. */

import { translate, translateErrors } from "../lib/error_translation.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { drawn } from "./icons.js";
import { errorText } from "./placeholders.js";

let made = 0;

/** A labelled field. `hint` and what is wrong with it belong to its description. */
export function field(label, input, hint = "") {
  const id = `field-${++made}`;
  const wrong = el("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
  return el(
    "div",
    { class: "field", "data-name": input.name },
    el("label", { for: id }, label),
    input,
    el("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint),
    wrong,
  );
}

export function choice(options, chosen, about) {
  const select = el(
    "select",
    about,
    options.map(([value, label]) => el("option", { value }, label)),
  );
  select.value = chosen;
  return select;
}

/** Say under each field what is wrong with it, or nothing; returns what is wrong elsewhere. */
export function mark(form, errors) {
  for (const box of form.querySelectorAll("[data-name]")) {
    const found = Object.keys(errors)
      .filter((path) => isOf(path, box.dataset.name))
      .flatMap((path) => errors[path]);
    const wrong = box.querySelector(".wrong");
    wrong.hidden = found.length === 0;
    wrong.textContent = found.map(translate).join(" ");
    box.querySelector("input, select, textarea").toggleAttribute("aria-invalid", found.length > 0);
  }
  form.querySelector("[aria-invalid]")?.focus();
  const names = [...form.querySelectorAll("[data-name]")].map((box) => box.dataset.name);
  const elsewhere = Object.entries(errors).filter(([path]) => !names.some((name) => isOf(path, name)));
  return translateErrors(Object.fromEntries(elsewhere)).join(" ");
}

const isOf = (path, name) => path === name || path.startsWith(`${name}.`);

/**
 * A dialog with a form. `act(values, form)` does what is to be done; what it refuses stands in the dialog. Returns
 * the dialog.
 */
export function openDialog({ title, content, action = t("save"), kind = "", act }) {
  const opener = document.activeElement;
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const go = el("button", { type: "submit", class: `main ${kind}` }, action);
  const id = `dialog-${++made}`;
  const shut = () => dialog.close();
  const form = el(
    "form",
    { method: "dialog", novalidate: true },
    el(
      "header",
      {},
      el("h2", { id }, title),
      el(
        "button",
        { type: "button", class: "tool", "aria-label": t("close"), title: t("close"), onclick: shut },
        drawn("close"),
      ),
    ),
    el("div", { class: "content" }, content),
    wrong,
    el("footer", {}, el("button", { type: "button", class: "plain", onclick: shut }, t("cancel")), go),
  );
  const dialog = el("dialog", { "aria-labelledby": id }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    wrong.hidden = true;
    mark(form, {});
    try {
      await act(Object.fromEntries(new FormData(form)), form);
      dialog.close();
    } catch (error) {
      if (error.isShown) return;
      const left = mark(form, error.problem?.errors ?? {});
      const marked = form.querySelector("[aria-invalid]");
      wrong.hidden = Boolean(marked) && !left;
      wrong.textContent = marked ? left : errorText(error);
    } finally {
      go.disabled = false;
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.isConnected && opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector(".content input, .content textarea, .content select") ?? go).focus();
  return dialog;
}

export function confirmDialog(title, act, action = t("remove")) {
  return openDialog({ title, content: [], action, kind: "danger", act });
}

/** A button that opens a box beneath it; Escape, and a click elsewhere, close it. */
export function dropdown(button, box) {
  const holder = el("div", { class: "dropdown" }, button, box);
  const open = (is) => {
    box.hidden = !is;
    button.setAttribute("aria-expanded", is);
  };
  open(false);
  button.addEventListener("click", () => open(box.hidden));
  holder.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || box.hidden) return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
  holder.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !holder.contains(event.relatedTarget)) open(false);
  });
  const elsewhere = (event) => {
    if (!holder.isConnected) document.removeEventListener("click", elsewhere);
    else if (!holder.contains(event.target)) open(false);
  };
  document.addEventListener("click", elsewhere);
  box.addEventListener("click", (event) => event.target.closest("[data-closes]") && open(false));
  return holder;
}
