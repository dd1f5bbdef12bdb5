/** Parts: all, those to reorder, and those that tickets wait for. */

import { columnsOfTickets } from "./car.js";
import { EditButton } from "./edit.js";
import { money, numberOf, time, words } from "./format.js";
import { useForm, usePolled } from "./hooks.js";
import { api, explain, isDesk, useSession } from "./session.js";
import { Dialog, Field, Form, Links, Table, Text } from "./ui.js";
import { html, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {{ part: Part, onDone: () => void }} PartProps */

const PER_PAGE = 50;
/** Tickets that may wait for parts. */
const IN_WORK = { status: "estimate,open,in_progress", sort: "promised_at", per_page: 100 };
const VIEWS = [["/parts", "All"], ["/parts/low", "Low"], ["/parts/short", "Short"]];
const LABELS = { name: "Name", sku: "SKU", location: "Location", reorder_point: "Reorder at", price: "Price", cost: "Cost" };
/** What is done with the stock of a part. */
const ACTS = { receive: "Receive", adjust: "Adjust", movements: "Movements" };

/** @param {Part} part */
const unitOf = ({ unit }) => words(unit).toLowerCase();

/** @type {import("./ui.js").TableColumn[]} */
const COLUMNS = [
  ["Name", "", ({ name }) => html`<bdi>${name}</bdi>`],
  ["SKU", "", ({ sku }) => html`<bdi>${sku}</bdi>`],
  ["Location", "", ({ location }) => html`<bdi>${location}</bdi>`],
  ["On hand", "number", ({ quantity_on_hand }) => quantity_on_hand ?? "–"],
  ["Reserved", "number", ({ quantity_reserved }) => quantity_reserved],
  ["Available", "number", available],
  ["Reorder at", "number", ({ reorder_point }) => reorder_point ?? "–"],
  ["Price", "number", ({ price }) => money(price)],
];

/** @param {Part} part */
function available(part) {
  const { quantity_available: quantity, reorder_point: reorder } = part;
  const isLow = quantity !== null && reorder !== null && quantity <= reorder;
  return html`<span class=${isLow ? "late" : ""}>${quantity ?? "–"}</span> <small>${unitOf(part)}</small>`;
}

/** A movement of stock. @param {PartProps & { kind: "receive" | "adjust" }} props */
function Move({ part, kind, onDone }) {
  const form = useForm({ quantity: "", reason: "" }, async ({ quantity, reason }, key) => {
    await api.post(`/inventory/${part.id}/movements`, { kind, quantity: numberOf(quantity), reason: reason || null }, { key });
    onDone();
  });
  const [count, why] = kind === "receive" ? ["How many came", "Delivery note"] : ["How many more or, with −, fewer", "Why"];
  return html`<${Form} form=${form} submit=${ACTS[kind]}>
    <${Text} form=${form} name="quantity" label=${`${count}, ${unitOf(part)}`} inputmode="decimal" />
    <${Text} form=${form} name="reason" label=${why} />
  <//>`;
}

/** @param {{ part: Part }} props */
function Movements({ part }) {
  const { data } = usePolled(`/inventory/${part.id}/movements`, { sort: "-id", per_page: 20 });
  return html`<ol>
    ${data?.map(
      (/** @type {import("./types").Movement} */ { id, kind, quantity, reason, ticket_id, mechanic, created_at }) => html`<li key=${id}>
        <span class="number">${quantity > 0 ? "+" : ""}${quantity}</span> ${words(kind)}
        ${ticket_id && html` <a href=${`#/tickets/${ticket_id}`}>#${ticket_id}</a>`} <bdi>${reason}</bdi>
        <small>${time(created_at)}${mechanic && html`, <bdi>${mechanic.name}</bdi>`}</small>
      </li>`,
    )}
    ${data?.length === 0 && html`<li class="quiet">None</li>`}
  </ol>`;
}

/** What may be done with a part. @param {PartProps} props */
function Acts({ part, onDone }) {
  const { me } = useSession();
  const [act, setAct] = useState(/** @type {keyof ACTS | null} */ (null));
  const close = () => setAct(null);
  const acts = /** @type {(keyof ACTS)[]} */ (isDesk(me) ? Object.keys(ACTS) : ["movements"]);
  const button = (/** @type {keyof ACTS} */ name) =>
    html`<button type="button" class="plain" key=${name} onClick=${() => setAct(name)}>${ACTS[name]}</button>`;
  return html`${acts.map(button)}
    ${isDesk(me) && html`<${EditButton} title=${part.name} labels=${LABELS} path=${`/inventory/${part.id}`} onDone=${onDone} />`}
    ${act &&
    html`<${Dialog} title=${`${ACTS[act]}: ${part.name}`} onClose=${close}>
      ${act === "movements"
        ? html`<${Movements} part=${part} />`
        : html`<${Move} part=${part} kind=${act} onDone=${() => (close(), onDone())} />`}
    <//>`}`;
}

/** A page of parts. @param {{ isLow: boolean, asked: string }} props */
function Shelf({ isLow, asked }) {
  const [{ q, page }, turn] = useState({ q: asked, page: 1 });
  const { data, error, refresh } = usePolled("/inventory", { q, low_stock: isLow || undefined, page, per_page: PER_PAGE });
  const none = q ? "No part is called so." : isLow ? "Nothing is low." : "There are no more parts.";
  const find = (/** @type {any} */ { target }) => turn({ q: target.value.trim(), page: 1 });
  const acts = (/** @type {Part} */ part) => html`<${Acts} part=${part} onDone=${refresh} />`;
  return html`<${Field} label="Find by name or SKU"><input type="search" dir="auto" maxlength="100" value=${q} onInput=${find} /><//>
    ${error && html`<p class="problem" role="alert">${explain(error)}</p>`}
    <${Table} columns=${[...COLUMNS, ["", "acts", acts]]} rows=${data} none=${none} />
    <p class="actions">
      ${page > 1 && html`<button type="button" onClick=${() => turn({ q, page: page - 1 })}>Previous page</button>`}
      ${data?.length === PER_PAGE && html`<button type="button" onClick=${() => turn({ q, page: page + 1 })}>Next page</button>`}
    </p>`;
}

/** @param {{ quantity_short: number }} line */
const isShort = ({ quantity_short }) => quantity_short > 0;

/** @param {import("./types").PartLine} line */
const shortage = ({ id, quantity_short, name, sku }) =>
  html`<li key=${id}><strong class="late">${quantity_short}</strong> <bdi>${name}</bdi> <small>${sku}</small></li>`;

/** @type {import("./ui.js").TableColumn[]} */
const SHORT_COLUMNS = [
  ...columnsOfTickets("From", "Work", "Odometer", "Total", "Balance"),
  ["Waits for", "", ({ parts }) => html`<ul>${parts.filter(isShort).map(shortage)}</ul>`],
];

/** The tickets whose parts are not all there. */
function Short() {
  const { data, error } = usePolled("/service-tickets", IN_WORK);
  const tickets = data?.filter((/** @type {import("./types").ListedTicket} */ { parts }) => parts.some(isShort));
  if (error) return html`<p class="problem" role="alert">${explain(error)}</p>`;
  return html`<${Table} columns=${SHORT_COLUMNS} rows=${tickets} none="No ticket waits for parts." />
    ${data?.length === IN_WORK.per_page && html`<p class="quiet">Of the ${data.length} that are promised first</p>`}`;
}

/** @param {{ parameters: string[] }} props */
export function PartsScreen({ parameters: [view = "", query = ""] }) {
  const path = view ? `/parts/${view}` : "/parts";
  return html`<h1>Parts</h1>
    <${Links} label="Which parts" of=${VIEWS} isCurrent=${(/** @type {string} */ to) => to === path} />
    ${view === "short" ? html`<${Short} />` : html`<${Shelf} key=${query} isLow=${view === "low"} asked=${decodeURIComponent(query)} />`}`;
}
