/** The sign-in form. The company is requested only if the login exists in several companies. */

import { send } from "../api.js";
import { t } from "../lib/i18n.js";
import { el } from "./dom.js";
import { field, showFieldErrors } from "./forms.js";
import { statusIcon } from "./icons.js";
import { errorText } from "./placeholders.js";
import { languageButton, themeButton } from "./shell.js";

const SAMPLE_STATUSES = [
  ["answered", "inbound"],
  ["ringing", "outbound"],
  ["missed", "inbound"],
  ["returned", "inbound"],
  ["declined", "outbound"],
];

export function signIn({ note, redraw, onSignedIn }) {
  const login = el("input", {
    name: "login",
    autocomplete: "username",
    required: true,
    maxlength: 128,
    autocapitalize: "none",
    spellcheck: "false",
  });
  const password = el("input", {
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
    maxlength: 1024,
  });
  const company = field(
    t("company"),
    el("input", { name: "tenant", autocomplete: "organization", maxlength: 128 }),
    t("company_hint"),
  );
  company.hidden = true;
  const message = el("p", { class: note ? "note" : "field-error", role: "alert", hidden: !note }, note ?? "");
  const submit = el("button", { type: "submit", class: "main wide" }, t("sign_in"));

  const form = el(
    "form",
    { class: "card", method: "post", novalidate: true },
    el("h1", {}, t("sign_in_title")),
    message,
    company,
    field(t("login"), login),
    field(t("password"), password),
    submit,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!login.value) return login.focus();
    if (!password.value) return password.focus();
    submit.disabled = true;
    const { tenant, ...credentials } = Object.fromEntries(new FormData(form));
    try {
      await send("POST", "/sessions", tenant ? { tenant, ...credentials } : credentials);
      return onSignedIn();
    } catch (error) {
      message.className = "field-error";
      message.hidden = false;
      message.textContent = error.status === 401 ? t("sign_in_wrong") : errorText(error);
      if (error.problem?.errors?.tenant) {
        company.hidden = false;
        message.hidden = true;
        showFieldErrors(form, {});
        company.querySelector("input").focus();
      } else if (error.status === 401) password.select();
    } finally {
      submit.disabled = false;
    }
    return undefined;
  });

  queueMicrotask(() => login.focus());
  return el(
    "div",
    { class: "sign-in-page" },
    el("div", { class: "corner" }, languageButton(redraw), themeButton()),
    el(
      "main",
      {},
      el("p", { class: "brand" }, t("title")),
      el("p", { class: "slogan" }, t("slogan")),
      el(
        "div",
        { class: "icon-row", "aria-hidden": "true" },
        SAMPLE_STATUSES.map((sample) => statusIcon(...sample)),
      ),
      form,
    ),
  );
}
