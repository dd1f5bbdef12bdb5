/**
 * The bay: the tickets of a mechanic as large cards, for a tablet. A card leads to the ticket, where hours and findings
 * are written.
 */

import { car, isLate, time, words } from "./format.js";
import { usePolled } from "./hooks.js";
import { explain, useSession } from "./session.js";
import { Badge } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./types").ListedTicket} ListedTicket */

const MINE = { status: "in_progress,open", sort: "promised_at", per_page: 50 };

/** @param {{ ticket: ListedTicket }} props */
function BayCard({ ticket: { id, vehicle, key_tag, status, hold, promised_at, description, notes, jobs } }) {
  const toDo = jobs.filter((job) => job.status === "approved");
  const waiting = jobs.filter((job) => job.status === "proposed").length;
  return html`<li class="panel">
    <a href=${`#/tickets/${id}`}>
      <h2><bdi>${car(vehicle)}</bdi></h2>
      <p class="flow">
        ${vehicle?.plate && html`<span class="plate"><bdi>${vehicle.plate}</bdi></span>`}
        ${key_tag && html`<span>Key <bdi>${key_tag}</bdi></span>`}
        <${Badge} status=${status}>${words(status)}<//>
        ${hold && html`<${Badge} status="hold">Waiting: ${words(hold).toLowerCase()}<//>`}
        ${promised_at && html`<time class=${isLate({ status, promised_at }) ? "late" : ""}>${time(promised_at)}</time>`}
      </p>
      <p dir="auto">${description}</p>
      ${notes && html`<p class="quiet" dir="auto">${notes}</p>`}
      <ul>
        ${toDo.map(({ id: job, name }) => html`<li key=${job}><bdi>${name}</bdi></li>`)}
        ${waiting > 0 && html`<li class="quiet">${waiting} waiting for the customer</li>`}
      </ul>
    </a>
  </li>`;
}

export function BayScreen() {
  const { me } = useSession();
  const { data, error } = usePolled(`/mechanics/${me.id}/tickets`, MINE);
  return html`<h1>My tickets</h1>
    ${error && html`<p class="problem" role="alert">${explain(error)}</p>`}
    ${data?.length === 0 && html`<p class="quiet">Nothing is assigned to you. The board has what nobody works on yet.</p>`}
    <ul class="bay">
      ${data?.map((/** @type {ListedTicket} */ ticket) => html`<${BayCard} key=${ticket.id} ticket=${ticket} />`)}
    </ul>`;
}
