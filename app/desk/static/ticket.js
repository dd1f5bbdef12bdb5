/** The screen of one ticket: its jobs on the left; on the right money, details and history. */

import { car, isBilled, isInWork, isLate, since, time, words } from "./format.js";
import { useAct, useKeys } from "./hooks.js";
import { explain, isDesk, useSession } from "./session.js";
import { Approve, Invoice, Link, move, Move, nameOf, Pay } from "./ticket_acts.js";
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

/** @param {{ parameters: string[] }} props */
export function TicketScreen({ parameters: [id] }) {
  const state = useTicket(/** @type {string} */ (id));
  if (!state.ticket) return html`<p role="status">${state.error ? explain(state.error) : "Loading …"}</p>`;
  return html`<${Loaded} state=${state} />`;
}

/** @param {{ state: State }} props */
function Loaded({ state }) {
  const { me } = useSession();
  const [shown, show] = useState("");
  const { ticket } = state;
  /** @type {Record<string, import("./hooks.js").Binding>} */
  const asking = { a: ["Approve or decline jobs", () => show("approve")], s: ["Send the approval link", () => show("link")] };
  /** @type {typeof asking} */
  const keys = {
    ...(isInWork(ticket) && asking),
    $: ["Take a payment", () => (canPay(ticket) ? show("pay") : notify("A payment is taken on an invoice. Invoice the ticket first."))],
  };
  useKeys(isDesk(me) ? keys : {});
  const close = () => show("");
  const [verb, target] = shown.split(" ");
  return html`<div class="ticket">
    <${Head} state=${state} show=${show} />
    <section aria-label="Jobs"><${Jobs} state=${state} /></section>
    <aside aria-label="Ticket">
      <${Money} state=${state} />
      <${Details} state=${state} />
      <${History} state=${state} />
    </aside>
    ${shown && html`<${DIALOGS[verb ?? ""] ?? Move} state=${state} target=${target} onClose=${close} />`}
    ${state.conflict && html`<${Merge} conflict=${state.conflict} />`}
  </div>`;
}

/** @param {Ticket} ticket */
const canPay = ({ status, totals }) => status === "invoiced" || Number(totals.paid) > 0;

/** @param {{ state: State, show: (dialog: string) => void }} props */
function Head({ state, show }) {
  const { ticket } = state;
  const { customer, vehicle, hold, status, promised_at: promised } = ticket;
  return html`<header>
    <div class="title">
      <h1>Ticket ${ticket.id}</h1>
      <${Badge} status=${status}>${words(status)}<//>
      ${hold && html`<${Badge} status="hold">Waiting: ${words(hold).toLowerCase()}<//>`}
      <span class="quiet">for ${since(ticket.status_since)}</span>
    </div>
    <p class="about">
      <strong><bdi>${car(vehicle)}</bdi></strong>
      ${vehicle?.plate && html`<span class="plate"><bdi>${vehicle.plate}</bdi></span>`}
      ${vehicle?.vin && html`<span class="vin">${vehicle.vin}</span>`}
      ${promised && html`<span class=${isLate(ticket) ? "late" : ""}>Promised ${time(promised)}</span>`}
      <span><bdi>${customer.name}</bdi> ${customer.phone && html`<a href=${`tel:${customer.phone}`}>${customer.phone}</a>`}</span>
    </p>
    <${Moves} state=${state} show=${show} />
  </header>`;
}

/** What can be done with the ticket as a whole. @param {{ state: State, show: (dialog: string) => void }} props */
function Moves({ state, show }) {
  const { ticket } = state;
  const { me } = useSession();
  const isProposed = ticket.jobs.some((job) => job.status === "proposed");
  const { act, message } = useAct();
  /** Moves that lose something ask first. @param {TicketStatus} target */
  const begin = (target) => {
    if (target === "void" || isBilled(ticket) || (target === "completed" && isProposed)) return show(`move ${target}`);
    return act(() => move(state, { status: target }, { what: nameOf(ticket, target) }));
  };
  return html`<div class="actions">
    ${isDesk(me) && html`<${DeskActions} ticket=${ticket} isProposed=${isProposed} show=${show} />`}
    ${ticket.allowed_moves.map(
      (target) => html`<button key=${target} type="button" class=${target === "void" ? "danger" : ""} onClick=${() => begin(target)}>
        ${nameOf(ticket, target)}
      </button>`,
    )}
    ${message && html`<p class="problem" role="alert">${message}</p>`}
  </div>`;
}

/** @param {{ ticket: Ticket, isProposed: boolean, show: (dialog: string) => void }} props */
function DeskActions({ ticket, isProposed, show }) {
  const isDue = ticket.status === "invoiced";
  return html`
    ${isInWork(ticket) && html`<button type="button" onClick=${() => show("approve")}>Approve <kbd>a</kbd></button>`}
    ${isInWork(ticket) && isProposed && html`<button type="button" onClick=${() => show("link")}>Send link <kbd>s</kbd></button>`}
    ${ticket.status === "completed" && html`<button type="button" class="primary" onClick=${() => show("invoice")}>Invoice</button>`}
    ${canPay(ticket) &&
    html`<button type="button" class=${isDue ? "primary" : ""} onClick=${() => show("pay")}>${isDue ? "Payment" : "Refund"} <kbd>$</kbd></button>`}
  `;
}
