/** Parts: all, those to reorder, and those that tickets wait for. They are received and adjusted where they stand. */

import { EditButton } from "./edit.js";
import { car, money, time, words } from "./format.js";
import { useForm, usePolled } from "./hooks.js";
import { api, explain, isDesk, useSession } from "./session.js";
import { Field, Form } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketCard} TicketCard */
/** @typedef {{ part: Part, onDone: () => void }} PartProps */

const PER_PAGE = 50;
/** @type {[path: string, label: string][]} */
const VIEWS = [
  ["/parts", "All"],
  ["/parts/low", "Low"],
  ["/parts/short", "Short"],
];
const DECIMAL = { inputmode: "decimal" };
/** @type {import("./edit.js").Input[]} */
const INPUTS = [
  ["name", "Name"],
  ["sku", "SKU"],
  ["location", "Location"],
  ["reorder_point", "Reorder at", { inputmode: "numeric" }],
  ["price", "Price", DECIMAL],
  ["cost", "Cost", DECIMAL],
];

/** A movement of stock. After one the field is ready for the next. @param {PartProps & { kind: "receive" | "adjust" }} props */
function Move({ part, kind, onDone }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const form = useForm({ quantity: "", reason: "" }, async ({ quantity, reason }, key) => {
    const amount = quantity.trim() === "" || Number.isNaN(Number(quantity)) ? quantity : Number(quantity);
    await api.post(`/inventory/${part.id}/movements`, { kind, quantity: amount, reason: reason || null }, { key });
    onDone();
  });
  useEffect(() => input.current?.focus(), []);
  const isReceipt = kind === "receive";
  return html`<${Form} form=${form} submit=${isReceipt ? "Receive" : "Adjust"}>
    <div class="row">
      <${Field} label=${`${isReceipt ? "How many came" : "How many more or, with −, fewer"}, ${words(part.unit).toLowerCase()}`} error=${form.errorOf("quantity")}>
        <input ref=${input} inputmode="decimal" autocomplete="off" ...${form.bind("quantity")} />
      <//>
      <${Field} label=${isReceipt ? "Delivery note" : "Why"} error=${form.errorOf("reason")}>
        <input dir="auto" autocomplete="off" ...${form.bind("reason")} />
      <//>
    </div>
  <//>`;
}

/** @param {{ part: Part }} props */
function Movements({ part }) {
  const { data } = usePolled(`/inventory/${part.id}/movements`, { sort: "-id", per_page: 20 });
  return html`<ol class="movements">
    ${(data ?? []).map(
      (/** @type {import("./types").Movement} */ { id, kind, quantity, reason, ticket_id, mechanic, created_at }) => html`<li key=${id}>
        <span class="number">${quantity > 0 ? "+" : ""}${quantity}</span> ${words(kind)}
        ${ticket_id && html` <a href=${`#/tickets/${ticket_id}`}>#${ticket_id}</a>`} <bdi>${reason}</bdi>
        <small>${time(created_at)}${mechanic && html`, <bdi>${mechanic.name}</bdi>`}</small>
      </li>`,
    )}
  </ol>`;
}

/** @param {{ part: Part, refresh: () => void }} props */
function Row({ part, refresh }) {
  const { me } = useSession();
  const [act, setAct] = useState("");
  const opener = useRef(/** @type {HTMLElement | null} */ (null));
  /** @param {string} name */
  const open = (name) => (/** @type {any} */ event) => {
    opener.current = event.currentTarget;
    setAct(act === name ? "" : name);
  };
  const done = () => {
    setAct("");
    refresh();
    opener.current?.focus();
  };
  const { quantity_available: available, reorder_point: reorder } = part;
  const isLow = available !== null && reorder !== null && available <= reorder;
  /** @type {[string, string][]} */
  const acts = [...(isDesk(me) ? /** @type {[string, string][]} */ ([["receive", "Receive"], ["adjust", "Adjust"]]) : []), ["movements", "Movements"]];
  return html`<tr>
      <td><bdi>${part.sku}</bdi></td>
      <th scope="row"><bdi>${part.name}</bdi></th>
      <td><bdi>${part.location}</bdi></td>
      <td class="number">${part.quantity_on_hand ?? "–"}</td>
      <td class="number">${part.quantity_reserved}</td>
      <td class=${isLow ? "number late" : "number"}>${available ?? "–"} <small>${words(part.unit).toLowerCase()}</small></td>
      <td class="number">${reorder ?? "–"}</td>
      <td class="number">${money(part.price)}</td>
      <td class="acts">
        ${acts.map(([name, label]) => html`<button type="button" class="plain" key=${name} aria-expanded=${act === name} onClick=${open(name)}>${label}</button>`)}
        ${isDesk(me) && html`<${EditButton} title=${part.name} of=${INPUTS} path=${`/inventory/${part.id}`} onDone=${refresh} />`}
      </td>
    </tr>
    ${act &&
    html`<tr>
      <td colspan="9">
        ${act === "movements" ? html`<${Movements} part=${part} />` : html`<${Move} key=${act} part=${part} kind=${act} onDone=${done} />`}
      </td>
    </tr>`}`;
}

/** A page of parts. @param {{ isLow: boolean, asked: string }} props */
function Table({ isLow, asked }) {
  const [q, setQ] = useState(asked);
  const [page, setPage] = useState(1);
  const { data, error, refresh } = usePolled("/inventory", { q, low_stock: isLow || undefined, page, per_page: PER_PAGE });
  /** @param {any} event */
  const find = ({ target }) => {
    setQ(target.value.trim());
    setPage(1);
  };
  /** @type {Part[]} */
  const parts = data ?? [];
  return html`<${Field} label="Find by name or SKU"><input type="search" dir="auto" maxlength="100" value=${q} onInput=${find} /><//>
    ${error && html`<p class="problem" role="alert">${explain(error)}</p>`}
    <div class="scrolls">
      <table class="parts">
        <thead>
          <tr>
            ${["SKU", "Name", "Location"].map((label) => html`<th key=${label} scope="col">${label}</th>`)}
            ${["On hand", "Reserved", "Available", "Reorder at", "Price"].map((label) => html`<th key=${label} scope="col" class="number">${label}</th>`)}
            <td></td>
          </tr>
        </thead>
        <tbody>
          ${parts.map((part) => html`<${Row} key=${part.id} part=${part} refresh=${refresh} />`)}
        </tbody>
      </table>
    </div>
    ${data && !parts.length && html`<p class="quiet">${q ? "No part is called so." : isLow ? "Nothing is low." : "There are no more parts."}</p>`}
    <p class="actions">
      ${page > 1 && html`<button type="button" onClick=${() => setPage(page - 1)}>Previous page</button>`}
      ${parts.length === PER_PAGE && html`<button type="button" onClick=${() => setPage(page + 1)}>Next page</button>`}
    </p>`;
}

/** The tickets whose parts are not all there, with what they wait for. */
function Short() {
  const { data: board } = usePolled("/service-tickets/board");
  const [tickets, setTickets] = useState(/** @type {Ticket[] | null} */ (null));
  useEffect(() => {
    if (!board) return undefined;
    const stop = new AbortController();
    /** @type {TicketCard[]} */
    const cards = board.columns.flatMap((/** @type {{ cards: TicketCard[] }} */ column) => column.cards);
    const short = cards.filter(({ parts_short: count }) => count > 0);
    Promise.all(short.map(({ id }) => api.get(`/service-tickets/${id}`, {}, { signal: stop.signal }))).then(
      (answers) => setTickets(answers.map((answer) => answer.data)),
      () => undefined, // the next poll asks again
    );
    return () => stop.abort();
  }, [board]);
  if (tickets && !tickets.length) return html`<p class="quiet">No ticket on the board waits for parts.</p>`;
  return html`<ul class="short">
    ${(tickets ?? []).map(
      ({ id, vehicle, parts }) => html`<li key=${id} class="panel">
        <a href=${`#/tickets/${id}`}>#${id}</a> <bdi>${car(vehicle)}</bdi>
        <ul>
          ${parts
            .filter(({ quantity_short: short }) => short > 0)
            .map((line) => html`<li key=${line.id}><strong class="late">${line.quantity_short}</strong> <bdi>${line.name}</bdi> <small>${line.sku}</small></li>`)}
        </ul>
      </li>`,
    )}
  </ul>`;
}

/** @param {{ parameters: string[] }} props */
export function PartsScreen({ parameters: [view = "", query = ""] }) {
  const path = view ? `/parts/${view}` : "/parts";
  return html`<h1>Parts</h1>
    <nav class="views" aria-label="Which parts">
      ${VIEWS.map(([to, label]) => html`<a key=${to} href=${`#${to}`} aria-current=${to === path ? "page" : undefined}>${label}</a>`)}
    </nav>
    ${view === "short" ? html`<${Short} />` : html`<${Table} key=${query} isLow=${view === "low"} asked=${decodeURIComponent(query)} />`}`;
}
