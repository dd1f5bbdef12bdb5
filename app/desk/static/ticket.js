/** The screen of one ticket: its jobs on the left; on the right money, details and history. */

import { car, isBilled, isInWork, isLate, since, time, words } from "./format.js";
import { useAct, useKeys } from "./hooks.js";
import { explain, isDesk, useSession } from "./session.js";
import { Approve, Invoice, Link, move, Move, nameOf, Pay, proposedOn } from "./ticket_acts.js";
import { Jobs } from "./ticket_jobs.js";
import { Merge } from "./ticket_merge.js";
import { Money } from "./ticket_money.js";
import { Details, History } from "./ticket_side.js";
import { useTicket } from "./ticket_state.js";
import { Badge, notify } from "./ui.js";
import { html, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketStatus} TicketStatus */
/** @typedef {import("./ticket_state.js").TicketState & { ticket: Ticket }} State */

/** The dialogs of a ticket. @type {Record<string, import("./vendor/preact.js").FunctionComponent<any>>} */
const DIALOGS = { approve: Approve, link: Link, invoice: Invoice, pay: Pay };

const CLOSED = "Nothing on it can change any more.";
const NOT_BILLED = "A payment is taken on an invoice. Invoice the ticket first.";

/** @param {{ parameters: string[] }} props */
export function TicketScreen({ parameters: [id] }) {
  const state = useTicket(/** @type {string} */ (id));
  const { ticket } = state;
  const { me } = useSession();
  const [shown, show] = useState("");
  const acts = ticket && isDesk(me) ? actsOf(ticket) : [];
  const press = (/** @type {Act} */ { dialog, isOffered, why }) => (isOffered || !why ? show(dialog) : notify(why));
  useKeys(Object.fromEntries(acts.filter(({ key }) => key).map((each) => [each.key, [each.help, () => press(each)]])));
  if (!ticket) return html`<p role="status">${state.error ? explain(state.error) : "Loading …"}</p>`;
  const [verb, target] = shown.split(" ");
  return html`<div class="ticket">
    <${Head} state=${state} acts=${acts} show=${show} />
    <section aria-label="Jobs"><${Jobs} state=${state} /></section>
    <aside aria-label="Ticket">
      <${Money} state=${state} />
      <${Details} state=${state} />
      <${History} state=${state} />
    </aside>
    ${shown && html`<${DIALOGS[verb ?? ""] ?? Move} state=${state} target=${target} onClose=${() => show("")} />`}
    ${state.conflict && html`<${Merge} conflict=${state.conflict} />`}
  </div>`;
}

/** @typedef {{ key: string, dialog: string, label: string, help: string, why: string, isOffered: boolean, isNext?: boolean }} Act */

/**
 * What the desk does with a ticket, by button and by key; `why` it cannot be done now: without one the key does it, as
 * the page may be behind.
 *
 * @param {Ticket} ticket @returns {Act[]}
 */
function actsOf(ticket) {
  const isDue = ticket.status === "invoiced";
  const [isOpen, isDone] = [isInWork(ticket), ticket.status === "completed"];
  const isAsked = isOpen && proposedOn(ticket).length > 0;
  const canPay = isDue || Number(ticket.totals.paid) > 0;
  const pay = isDue ? "Payment" : "Refund";
  return [
    { key: "a", dialog: "approve", label: "Approve", help: "Approve or decline jobs", why: CLOSED, isOffered: isOpen },
    { key: "s", dialog: "link", label: "Send link", help: "Send the approval link", why: isOpen ? "" : CLOSED, isOffered: isAsked },
    { key: "", dialog: "invoice", label: "Invoice", help: "", why: "", isOffered: isDone, isNext: true },
    { key: "$", dialog: "pay", label: pay, help: "Take a payment", why: NOT_BILLED, isOffered: canPay, isNext: isDue },
  ];
}

/** @param {{ state: State, acts: Act[], show: (dialog: string) => void }} props */
function Head({ state, acts, show }) {
  const { ticket } = state;
  const { customer, vehicle, hold, status, promised_at: promised } = ticket;
  return html`<header class="flow">
    <div class="flow">
      <h1>Ticket ${ticket.id}</h1>
      <${Badge} status=${status}>${words(status)}<//>
      ${hold && html`<${Badge} status="hold">Waiting: ${words(hold).toLowerCase()}<//>`}
      <span class="quiet">for ${since(ticket.status_since)}</span>
    </div>
    <p class="flow">
      <strong><bdi>${car(vehicle)}</bdi></strong>
      ${vehicle?.plate && html`<span class="plate"><bdi>${vehicle.plate}</bdi></span>`}
      ${vehicle?.vin && html`<span class="vin">${vehicle.vin}</span>`}
      ${promised && html`<span class=${isLate(ticket) ? "late" : ""}>Promised ${time(promised)}</span>`}
      <span><bdi>${customer.name}</bdi> ${customer.phone && html`<a href=${`tel:${customer.phone}`}>${customer.phone}</a>`}</span>
    </p>
    <${Moves} state=${state} acts=${acts} show=${show} />
  </header>`;
}

/** What can be done with the ticket as a whole. @param {{ state: State, acts: Act[], show: (dialog: string) => void }} props */
function Moves({ state, acts, show }) {
  const { ticket } = state;
  const { act, message } = useAct();
  /** Moves that lose something ask first. @param {TicketStatus} target */
  const begin = (target) => {
    if (target === "void" || isBilled(ticket) || (target === "completed" && proposedOn(ticket).length)) return show(`move ${target}`);
    return act(() => move(state, { status: target }, { what: nameOf(ticket, target) }));
  };
  /** @param {string} key @param {() => unknown} press @param {string | false | undefined} look @param {any} label */
  const button = (key, press, look, label) =>
    html`<button key=${key} type="button" class=${look} onClick=${press}>${label}</button>`;
  return html`<div class="actions">
    ${acts.filter(({ isOffered }) => isOffered).map(({ key, dialog, label, isNext }) =>
      button(dialog, () => show(dialog), isNext && "primary", html`${label} ${key && html`<kbd>${key}</kbd>`}`),
    )}
    ${ticket.allowed_moves.map((to) => button(to, () => begin(to), to === "void" && "danger", nameOf(ticket, to)))}
    ${message && html`<p class="problem" role="alert">${message}</p>`}
  </div>`;
}
