/** The filter by operator: all accounts for administrators, else the people seen in the journal. */

import { get } from "../api.js";
import { language, t } from "../lib/i18n.js";
import { el, put, showToast } from "./dom.js";
import { errorText } from "./placeholders.js";

const PAGE = 200;
const MOST = 2000;
const KEPT = 60_000;
const known = new WeakMap();

/** Those who `me` knows of. */
export function peopleOf(me) {
  if (!known.has(me)) known.set(me, new People(me));
  return known.get(me);
}

class People {
  constructor(me) {
    Object.assign(this, { me, names: new Map(), askedAt: -Infinity, told: () => {} });
  }

  /** Remember who is in these entries. */
  note(entries) {
    const before = this.names.size;
    for (const entry of entries) {
      for (const one of [entry.caller, entry.callee, entry.answered_by])
        if (one?.account_id) this.names.set(one.account_id, one.name);
    }
    if (this.names.size !== before) this.told();
  }

  /** Ask who there are, unless that was just asked. */
  async ask() {
    if (performance.now() - this.askedAt < KEPT) return;
    this.askedAt = performance.now();
    try {
      if (this.me.role === "administrator") await this.all();
      else this.note((await get("/journal", { limit: PAGE })).entries);
    } catch (error) {
      this.askedAt = -Infinity;
      if (error.status !== 401) showToast(errorText(error), "bad");
    }
  }

  async all() {
    let cursor = null;
    do {
      const page = await get("/accounts", { limit: PAGE, ...(cursor && { cursor }) });
      for (const { id, name } of page.accounts) this.names.set(id, name);
      this.told();
      cursor = page.next_cursor;
    } while (cursor && this.names.size < MOST);
  }
}

/** Anybody, or one of these people; who comes to be known is offered too. */
export function operatorChoice(people, chosen) {
  const select = el("select", { name: "account" });
  people.told = () => {
    const value = select.childElementCount ? select.value : chosen;
    const shown = [...people.names].sort(([, one], [, other]) => one.localeCompare(other, language()));
    if (value && !people.names.has(value)) shown.unshift([value, "…"]);
    put(select, JSON.stringify(shown), () =>
      [["", t("anybody")], ...shown].map(([id, name]) => el("option", { value: id }, name)),
    );
    select.value = value;
  };
  people.told();
  people.ask();
  return select;
}
