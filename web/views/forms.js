/** Dialogs and the fields in them. */

import { translate, translateErrors } from "../lib/error_translation.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { drawIcon } from "./icons.js";
import { errorText } from "./placeholders.js";

let idCount = 0;

/** A labelled field. Its hint and its error describe the input. */
export function field(label, input, hint = "") {
  const id = `field-${++idCount}`;
  const errorNote = el("p", { class: "field-error", id: `${id}-error`, hidden: true });
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  return el(
    "div",
    { class: "field", "data-name": input.name },
    el("label", { for: id }, label),
    input,
    el("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint),
    errorNote,
  );
}

export function choice(options, chosen, attributes) {
  const select = el(
    "select",
    attributes,
    options.map(([value, label]) => el("option", { value }, label)),
  );
  select.value = chosen;
  return select;
}

/** Show under each field its errors, or nothing. Returns the text of the errors that belong to no field. */
export function showFieldErrors(form, errors) {
  for (const fieldElement of form.querySelectorAll("[data-name]")) {
    const fieldErrors = Object.keys(errors)
      .filter((path) => isWithin(path, fieldElement.dataset.name))
      .flatMap((path) => errors[path]);
    const errorNote = fieldElement.querySelector(".field-error");
    errorNote.hidden = fieldErrors.length === 0;
    errorNote.textContent = fieldErrors.map(translate).join(" ");
    fieldElement.querySelector("input, select, textarea").toggleAttribute("aria-invalid", fieldErrors.length > 0);
  }
  form.querySelector("[aria-invalid]")?.focus();
  const names = [...form.querySelectorAll("[data-name]")].map((fieldElement) => fieldElement.dataset.name);
  const elsewhere = Object.entries(errors).filter(([path]) => !names.some((name) => isWithin(path, name)));
  return translateErrors(Object.fromEntries(elsewhere)).join(" ");
}

const isWithin = (path, name) => path === name || path.startsWith(`${name}.`);

/**
 * A dialog with a form. `act(values, form)` is called on submit; its error is shown in the dialog. Returns
 * the dialog.
 */
export function openDialog({ title, content, action = t("save"), kind = "", act }) {
  const opener = document.activeElement;
  const errorNote = el("p", { class: "field-error", role: "alert", hidden: true });
  const submit = el("button", { type: "submit", class: `main ${kind}` }, action);
  const id = `dialog-${++idCount}`;
  const close = () => dialog.close();
  const form = el(
    "form",
    { method: "dialog", novalidate: true },
    el(
      "header",
      {},
      el("h2", { id }, title),
      el(
        "button",
        { type: "button", class: "tool", "aria-label": t("close"), title: t("close"), onclick: close },
        drawIcon("close"),
      ),
    ),
    el("div", { class: "content" }, content),
    errorNote,
    el("footer", {}, el("button", { type: "button", class: "plain", onclick: close }, t("cancel")), submit),
  );
  const dialog = el("dialog", { "aria-labelledby": id }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    errorNote.hidden = true;
    showFieldErrors(form, {});
    try {
      await act(Object.fromEntries(new FormData(form)), form);
      dialog.close();
    } catch (error) {
      if (error.isShown) return;
      const rest = showFieldErrors(form, error.problem?.errors ?? {});
      const invalid = form.querySelector("[aria-invalid]");
      errorNote.hidden = Boolean(invalid) && !rest;
      errorNote.textContent = invalid ? rest : errorText(error);
    } finally {
      submit.disabled = false;
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.isConnected && opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector(".content input, .content textarea, .content select") ?? submit).focus();
  return dialog;
}

export function confirmDialog(title, act, action = t("remove")) {
  return openDialog({ title, content: [], action, kind: "danger", act });
}

/** A button that opens a box below it; Escape and a click outside close it. */
export function dropdown(button, box) {
  const holder = el("div", { class: "dropdown" }, button, box);
  const setOpen = (isOpen) => {
    box.hidden = !isOpen;
    button.setAttribute("aria-expanded", isOpen);
  };
  setOpen(false);
  button.addEventListener("click", () => setOpen(box.hidden));
  holder.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || box.hidden) return;
    event.stopPropagation();
    setOpen(false);
    button.focus();
  });
  holder.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !holder.contains(event.relatedTarget)) setOpen(false);
  });
  const closeOutside = (event) => {
    if (!holder.isConnected) document.removeEventListener("click", closeOutside);
    else if (!holder.contains(event.target)) setOpen(false);
  };
  document.addEventListener("click", closeOutside);
  box.addEventListener("click", (event) => event.target.closest("[data-closes]") && setOpen(false));
  return holder;
}
