/** The filter by operator: all accounts for administrators, else the people seen in the journal. */

import { get } from "../api.js";
import { language, t } from "../lib/i18n.js";
import { el, put, showToast } from "./dom.js";
import { errorText } from "./placeholders.js";

const PAGE_SIZE = 200;
const MAX_PEOPLE = 2000;
const MIN_RELOAD_INTERVAL_MS = 60_000;
const peopleByAccount = new WeakMap();

/** The people that the account `me` can filter by. */
export function peopleOf(me) {
  if (!peopleByAccount.has(me)) peopleByAccount.set(me, new People(me));
  return peopleByAccount.get(me);
}

class People {
  constructor(me) {
    Object.assign(this, { me, names: new Map(), loadedAt: -Infinity, onChange: () => {} });
  }

  /** Add the people of these entries. */
  add(entries) {
    const before = this.names.size;
    for (const entry of entries) {
      for (const party of [entry.caller, entry.callee, entry.answered_by])
        if (party?.account_id) this.names.set(party.account_id, party.name);
    }
    if (this.names.size !== before) this.onChange();
  }

  /** Load the people, unless that was done within the interval. */
  async load() {
    if (performance.now() - this.loadedAt < MIN_RELOAD_INTERVAL_MS) return;
    this.loadedAt = performance.now();
    try {
      if (this.me.role === "administrator") await this.loadAccounts();
      else this.add((await get("/journal", { limit: PAGE_SIZE })).entries);
    } catch (error) {
      this.loadedAt = -Infinity;
      if (error.status !== 401) showToast(errorText(error), "bad");
    }
  }

  async loadAccounts() {
    let cursor = null;
    do {
      const page = await get("/accounts", { limit: PAGE_SIZE, ...(cursor && { cursor }) });
      for (const { id, name } of page.accounts) this.names.set(id, name);
      this.onChange();
      cursor = page.next_cursor;
    } while (cursor && this.names.size < MAX_PEOPLE);
  }
}

/** A choice of one person or anybody; people found later are added to it. */
export function operatorChoice(people, chosen) {
  const select = el("select", { name: "account" });
  people.onChange = () => {
    const value = select.childElementCount ? select.value : chosen;
    const options = [...people.names].sort(([, name], [, other]) => name.localeCompare(other, language()));
    if (value && !people.names.has(value)) options.unshift([value, "…"]);
    put(select, JSON.stringify(options), () =>
      [["", t("anybody")], ...options].map(([id, name]) => el("option", { value: id }, name)),
    );
    select.value = value;
  };
  people.onChange();
  people.load();
  return select;
}
