/** The one box: what is typed is looked for among customers, cars, tickets and parts as one types. */

import { address } from "./api.js";
import { car, words } from "./format.js";
import { useKeys } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, go } from "./session.js";
import { html, useRef, useState } from "./vendor/preact.js";

/** @typedef {{ group: string, title: string, detail: string, to: string, row: any }} Found `row` is the API's. */

/** @param {any[]} texts */
const joined = (...texts) => texts.filter(Boolean).join(" · ");

/** @param {any} row @param {string} group @param {string} title @param {string} detail @param {string} to @returns {Found} */
const found = (row, group, title, detail, to) => ({ row, group, title, detail, to });

/** How each kind of result is shown, and the screen it leads to. @type {Record<string, (row: any) => Found>} */
const KINDS = {
  vehicles: (row) =>
    found(row, "Cars", joined(car(row), row.plate), joined(row.customer.name, row.vin), `/customers/${row.customer.id}/vehicles/${row.id}`),
  customers: (row) => found(row, "Customers", row.name, joined(row.phone, row.email), `/customers/${row.id}`),
  tickets: (row) => {
    const title = `#${row.id} ${row.vehicle ? car(row.vehicle) : ""}`;
    return found(row, "Tickets", title, joined(words(row.status), row.customer?.name, row.plate), `/tickets/${row.id}`);
  },
  parts: (row) =>
    found(row, "Parts", row.name, joined(row.sku, row.location), `/parts?q=${encodeURIComponent(row.sku ?? row.name)}`),
};

/**
 * Return what the API finds, by kind.
 *
 * @param {string} text @param {AbortSignal} signal @param {string[]} [kinds]
 * @returns {Promise<Found[]>}
 */
export async function search(text, signal, kinds = Object.keys(KINDS)) {
  const { data } = await api.get("/search", { q: text }, { signal });
  return kinds.flatMap((kind) => data[kind].map((/** @type {any} */ row) => KINDS[kind]?.(row)));
}

/** Return the field of the intake that a text belongs into. @param {string} text */
function fieldOf(text) {
  if (/^[\d\s()+.-]{7,}$/.test(text)) return "phone";
  if (/^[A-HJ-NPR-Z\d]{17}$/i.test(text)) return "vin";
  return /^(?=.*\d)[A-Z\d\s-]{2,10}$/i.test(text) ? "plate" : "name";
}

/**
 * What was found or, where that is nothing, a new ticket with what was typed.
 *
 * @param {string} text @param {AbortSignal} signal
 */
async function searchOrBegin(text, signal) {
  const all = await search(text, signal);
  const begin = found(null, "Nothing found", `New ticket with “${text}”`, "", address("/new", { [fieldOf(text)]: text }));
  return all.length ? all : [begin];
}

export function Find() {
  const [text, setText] = useState("");
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const before = useRef(/** @type {EventTarget | null} */ (null));
  const enter = (/** @type {FocusEvent} */ { relatedTarget }) => (before.current = relatedTarget);
  useKeys({ "/": ["Find", () => input.current?.focus()], n: ["New ticket", () => go("/new")] });

  /** @param {EventTarget | null} to */
  const leave = (to) => {
    setText("");
    input.current?.blur();
    if (to instanceof HTMLElement) to.focus();
  };
  const open = (/** @type {Found} */ { to }) => (leave(document.getElementById("content")), go(to));
  const escape = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && leave(before.current);
  return html`<search class="find" onFocusIn=${enter} onKeyDown=${escape}>
    <${Picker}
      ...${{ label: "Find", text, onText: setText, search: searchOrBegin, onPick: open }}
      input=${{ ref: input, type: "search", placeholder: "Find a plate, phone, name, VIN, ticket, part", maxlength: 200 }}
    />
  </search>`;
}
