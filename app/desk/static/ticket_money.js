/** What a ticket costs, what is authorised and paid, and its papers. */

import { isBilled, money, time, words } from "./format.js";
import { useAct, usePolled } from "./hooks.js";
import { api, isDesk, useSession } from "./session.js";
import { notify, Table } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./ticket.js").State} State */
/** @typedef {import("./types").Ticket} Ticket */

const FIGURES = ["parts", "labor", "fees", "discount", "supplies", "tax", "total"];
const NEWEST = { sort: "-id" };

/** @param {string} heading @param {any} totals @returns {import("./ui.js").TableColumn} A column of the figures. */
const figuresOf = (heading, totals) => [heading, "number", ({ id }) => `${id === "discount" ? "−" : ""}${money(totals[id])}`];

/** @param {string | null} amount Cents are whole numbers, so that sums are exact. */
const cents = (amount) => Math.round(Number(amount) * 100);

/**
 * What is left of a ticket's total without its tax when parts and sublets are paid; hours cost what no ticket tells.
 *
 * @param {Ticket} ticket
 */
function marginOf({ parts, fees, totals }) {
  const sales = cents(totals.total) - cents(totals.tax);
  const costs = parts.map(({ quantity, unit_cost }) => Math.round((Math.round(quantity * 1000) * cents(unit_cost)) / 1000));
  const left = [...costs, ...fees.map(({ cost }) => cents(cost))].reduce((rest, cost) => rest - cost, sales);
  return money(left / 100) + (sales > 0 ? ` · ${((left / sales) * 100).toFixed(1)}\u00a0%` : "");
}

/** @param {{ state: State }} props */
export function Money({ state: { ticket, path } }) {
  const { me } = useSession();
  const { act, message } = useAct();
  const { totals, totals_if_approved: then, authorized_amount: ceiling } = ticket;
  const isOpen = then.total !== totals.total;
  const isShown = (/** @type {string} */ id) => id === "total" || [totals, then].some((/** @type {any} */ each) => Number(each[id]));
  const columns = [["", "", (/** @type {any} */ { id }) => words(id)], figuresOf(isOpen ? "Now" : "Amount", totals)];
  if (isOpen) columns.push(figuresOf("If approved", then));
  const isOver = Number(totals.total) > Number(ceiling);
  const isWhole = ticket.parts.every(({ unit_cost }) => unit_cost !== null);
  const papers = ["estimate", "work_order", ...(isBilled(ticket) && isDesk(me) ? ["invoice"] : [])];
  const show = (/** @type {string} */ name) => act(() => openPaper(`${path}/${name.replace("_", "-")}.pdf`));
  return html`<section class="panel money" aria-label="Money">
    <${Table} columns=${columns} rows=${FIGURES.filter(isShown).map((id) => ({ id }))} />
    <dl>
      ${ceiling !== null && html`<div><dt>Authorised</dt><dd class=${isOver ? "late" : ""}>${money(ceiling)}</dd></div>`}
      ${(Number(totals.paid) !== 0 || isBilled(ticket)) &&
      html`<div><dt>Paid</dt><dd>${money(totals.paid)}</dd></div>
        <div><dt>Balance</dt><dd class=${Number(totals.balance) > 0 ? "due" : ""}>${money(totals.balance)}</dd></div>`}
      <div><dt>Margin${!isWhole && html` <small>(the cost of a part is unknown)</small>`}</dt><dd>${marginOf(ticket)}</dd></div>
    </dl>
    <div class="papers flow">
      ${papers.map((name) => html`<button key=${name} type="button" onClick=${() => show(name)}>${words(name)}</button>`)}
      ${message && html`<p class="problem" role="alert">${message}</p>`}
    </div>
    ${isDesk(me) && html`<${Records} path=${path} version=${ticket.version} />`}
  </section>`;
}

/**
 * Show a PDF in a tab of its own, which is opened at once: later, the browser would take it for a popup.
 *
 * @param {string} path
 */
async function openPaper(path) {
  const tab = open("", "_blank");
  try {
    const address = URL.createObjectURL(await api.getBlob(path));
    if (tab) tab.location.href = address;
    else notify("The browser keeps the page from opening a tab. Allow popups for this page.", { isProblem: true });
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** What the customer decided and paid. @param {{ path: string, version: number }} props */
function Records({ path, version }) {
  const { data: decisions } = usePolled(`${path}/authorizations`, NEWEST, { seconds: 30, version });
  const { data: payments } = usePolled(`${path}/payments`, NEWEST, { seconds: 30, version });
  /** @param {any} each @param {string} what @param {string} who @param {string} [sign] */
  const record = (each, what, who, sign = "") => html`<li key=${each.id}>
    <span>
      ${what} <bdi>${each.said_by ?? each.reference}</bdi>
      <small>${words(each.method)} · ${time(each.created_at)} · <bdi>${who}</bdi></small>
    </span>
    <span class="number">${sign}${money(each.amount)}</span>
  </li>`;
  const decided = (/** @type {any} */ each) => record(each, outcome(each), each.recorded_by?.name ?? "The customer");
  const paid = (/** @type {any} */ each) => record(each, words(each.kind), each.received_by.name, each.kind === "refund" ? "−" : "");
  return html`
    ${decisions?.length > 0 && html`<h3>Decisions</h3><ul class="list">${decisions.map(decided)}</ul>`}
    ${payments?.length > 0 && html`<h3>Payments</h3><ul class="list">${payments.map(paid)}</ul>`}
  `;
}

/** @param {any} authorization */
function outcome({ decision, jobs }) {
  const statuses = new Set((jobs ?? []).map((/** @type {any} */ job) => job.status));
  return words(decision ?? ([...statuses].join(", ") || "Amount set"));
}
