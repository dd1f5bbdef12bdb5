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

/** How each kind of result is shown, and the screen it leads to. @type {Record<string, (row: any) => Omit<Found, "row">>} */
const KINDS = {
  vehicles: (row) => ({
    ...{ group: "Cars", title: joined(car(row), row.plate), detail: joined(row.customer.name, row.vin) },
    to: `/customers/${row.customer.id}/vehicles/${row.id}`,
  }),
  customers: ({ id, name, phone, email }) =>
    ({ group: "Customers", title: name, detail: joined(phone, email), to: `/customers/${id}` }),
  tickets: (row) => ({
    ...{ group: "Tickets", title: `#${row.id} ${row.vehicle ? car(row.vehicle) : ""}`, to: `/tickets/${row.id}` },
    detail: joined(words(row.status), row.customer?.name, row.plate),
  }),
  parts: (row) => ({
    ...{ group: "Parts", title: row.name, detail: joined(row.sku, row.location), to: `/parts?q=${encodeURIComponent(row.sku ?? row.name)}` },
  }),
};

/**
 * Return what the API finds, by kind.
 *
 * @param {string} text @param {AbortSignal} signal @param {string[]} [kinds]
 * @returns {Promise<Found[]>}
 */
export async function search(text, signal, kinds = Object.keys(KINDS)) {
  const { data } = await api.get("/search", { q: text }, { signal });
  return kinds.flatMap((kind) =>
    data[kind].map((/** @type {any} */ row) => ({ row, ...KINDS[kind]?.(row) })),
  );
}

/** Return the field of the intake that a text belongs into. @param {string} text */
function fieldOf(text) {
  if (/^[\d\s()+.-]{7,}$/.test(text)) return "phone";
  if (/^[A-HJ-NPR-Z\d]{17}$/i.test(text)) return "vin";
  return /^(?=.*\d)[A-Z\d\s-]{2,10}$/i.test(text) ? "plate" : "name";
}

/** What was found or, where that is nothing, a new ticket with what was typed. @param {string} text @param {AbortSignal} signal */
async function searchOrBegin(text, signal) {
  const found = await search(text, signal);
  const begin = { title: `New ticket with “${text}”`, detail: "", to: address("/new", { [fieldOf(text)]: text }) };
  return found.length ? found : [{ group: "Nothing found", row: null, ...begin }];
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
