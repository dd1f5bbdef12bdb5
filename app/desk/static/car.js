/** The screens of a customer and of a car: what is open, what was declined, what was done, what is due. */

import { address } from "./api.js";
import { EditButton } from "./edit.js";
import { car, day, isInWork, isLate, money, time, words } from "./format.js";
import { useAct, usePolled } from "./hooks.js";
import { api, explain, isDesk, isTheirs, useSession } from "./session.js";
import { Badge, notify, Table } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./types").DeferredJob} DeferredJob */
/** @typedef {import("./types").ListedTicket} ListedTicket */
/** @typedef {import("./types").Vehicle} Vehicle */

const OPEN = { status: "estimate,open,in_progress,completed,invoiced", per_page: 100 };
const CLOSED = { status: "paid,declined,void", per_page: 50 };

const OF_CUSTOMER = { name: "Name", phone: "Phone", email: "E-mail", address: "Address" };
const OF_CAR = {
  ...{ plate: "Plate", plate_state: "State of the plate", vin: "VIN", year: "Year", make: "Make", model: "Model" },
  ...{ odometer: "Odometer", notes: "Notes" },
};

/** What is due on invoices; cents are whole numbers, so that the sum is exact. @param {ListedTicket[]} tickets */
function balanceOf(tickets) {
  const due = tickets.filter(({ status }) => status === "invoiced");
  const cents = due.reduce((sum, { totals }) => sum + Number(totals.balance.replace(".", "")), 0);
  return money(cents / 100) + (tickets.length === OPEN.per_page ? " or more" : "");
}

/** @param {{ name: string }} row */
const nameOf = ({ name }) => name;

/** @type {import("./ui.js").TableColumn[]} */
const COLUMNS = [
  ["Ticket", "", ({ id }) => html`<a href=${`#/tickets/${id}`}>#${id}</a>`],
  ["Status", "", ({ status }) => html`<${Badge} status=${status}>${words(status)}<//>`],
  ["From", "", ({ created_at }) => html`<time>${day(created_at)}</time>`],
  ["Car", "", ({ vehicle }) => html`<bdi>${car(vehicle)}</bdi>`],
  ["Work", "work", ({ jobs, description }) => html`<bdi>${jobs.map(nameOf).join(", ") || description}</bdi>`],
  ["Odometer", "number", ({ odometer }) => odometer?.toLocaleString()],
  ["Promised", "", (ticket) => ticket.promised_at && html`<time class=${isLate(ticket) ? "late" : ""}>${time(ticket.promised_at)}</time>`],
  ["Total", "number", ({ totals }) => money(totals.total)],
  ["Balance", "number", ({ totals }) => money(totals.balance)],
];

/** @type {import("./ui.js").TableColumn[]} */
const CARS = [
  ["Car", "", (each) => html`<a href=${`#/customers/${each.customer_id}/vehicles/${each.id}`} dir="auto">${car(each)}</a>`],
  ["Plate", "", ({ plate }) => html`<bdi>${plate}</bdi>`],
  ["VIN", "", ({ vin }) => vin],
];

/** Columns of a list of tickets. @param {string[]} without Headings of columns that are left out. */
export const columnsOfTickets = (...without) => COLUMNS.filter(([heading]) => !without.includes(heading));

/** @param {{ title: string, rows: any[] | null, most?: number, columns: import("./ui.js").TableColumn[] }} props */
function List({ title, rows, most, columns }) {
  return html`<section class="panel">
    <h2>${title}</h2>
    <${Table} columns=${columns} rows=${rows} none="None" />
    ${rows && rows.length === most && html`<p class="quiet">The newest ${most}</p>`}
  </section>`;
}

/**
 * Work that was declined, to be offered again on a ticket that is in work, or on a new one.
 *
 * @param {{ path: string, vehicle: Vehicle, tickets: ListedTicket[] }} props
 */
function Deferred({ path, vehicle, tickets }) {
  const { me } = useSession();
  const { data, refresh } = usePolled(`${path}/deferred`, { per_page: 100 }, { seconds: 30 });
  const open = tickets.filter((each) => isInWork(each) && isTheirs(me, each));
  const { act, message } = useAct();
  const revive = (/** @type {DeferredJob} */ { job_id, name }, /** @type {number} */ id) =>
    act(async () => {
      await api.post(`/service-tickets/${id}/jobs`, { revive_job_id: job_id, status: "proposed" });
      notify(`${name} is proposed on #${id}`);
      await refresh();
    });
  if (!data?.length) return null;
  return html`<section class="panel">
    <h2>Declined before</h2>
    ${message && html`<p class="problem" role="alert">${message}</p>`}
    <ul class="deferred">
      ${data.map(
        (/** @type {DeferredJob} */ job) => html`<li key=${job.job_id} class="flow">
          <strong dir="auto">${job.name}</strong>
          <span>${money(job.total_now)} <span class="quiet">today, ${money(job.total_then)} then</span></span>
          <a class="quiet" href=${`#/tickets/${job.ticket_id}`}>#${job.ticket_id}, ${day(job.declined_at)}</a>
          <span class="actions">
            ${open.map(({ id }) => html`<button key=${id} type="button" onClick=${() => revive(job, id)}>Offer on #${id}</button>`)}
            <a class="button" href=${newTicket(vehicle, job)}>Offer on a new ticket</a>
          </span>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {Vehicle} vehicle @param {DeferredJob} [job] */
const newTicket = ({ id, customer_id }, job) => `#${address("/new", { customer_id, vehicle_id: id, jobs: job?.job_id })}`;

/** @param {string | null} phone */
const call = (phone) => phone && html`<a href=${`tel:${phone}`}>${phone}</a>`;

/**
 * A customer or a car: what is known of it, and what is open and was done, which its children show.
 *
 * @param {object} props
 * @param {string} props.title
 * @param {any} props.edit What changes it.
 * @param {string} props.begin The address of a new ticket for it.
 * @param {[label: string, value: any][]} props.facts Those without a value are left out.
 * @param {any} [props.children]
 */
const Record = ({ title, edit, begin, facts, children }) => html`<article class="record">
  <header class="flow">
    <h1 dir="auto">${title}</h1>
    <div class="actions">${edit} <a class="button primary" href=${begin}>New ticket</a></div>
  </header>
  <dl class="flow">
    ${facts.map(([label, value]) => value && html`<div key=${label}><dt>${label}</dt><dd dir="auto">${value}</dd></div>`)}
  </dl>
  ${children}
</article>`;

/** @param {{ parameters: string[] }} props */
export function Customer({ parameters: [id] }) {
  const { me } = useSession();
  const path = `/customers/${id}`;
  const { data: customer, error, refresh } = usePolled(path);
  const { data: cars } = usePolled(`${path}/vehicles`, { per_page: 100 }, { seconds: 30 });
  const { data: open } = usePolled("/service-tickets", { ...OPEN, customer_id: id }, { seconds: 30 });
  const { data: closed } = usePolled("/service-tickets", { ...CLOSED, customer_id: id }, { seconds: 60 });
  if (!customer) return html`<p role="status">${error ? explain(error) : "…"}</p>`;
  const { name, phone, email, address: home, created_at } = customer;
  const edit = isDesk(me) && html`<${EditButton} title="Change the customer" labels=${OF_CUSTOMER} path=${path} onDone=${refresh} />`;
  const facts = [
    ...[["Phone", call(phone)], ["E-mail", email && html`<a href=${`mailto:${email}`}>${email}</a>`], ["Address", home]],
    ...[["Since", day(created_at)], ["Balance due", open && balanceOf(open)]],
  ];
  return html`<${Record} title=${name} edit=${edit} begin=${`#${address("/new", { customer_id: id })}`} facts=${facts}>
    <${List} title="Cars" rows=${cars} columns=${CARS} />
    <${List} title="Open" rows=${open} most=${OPEN.per_page} columns=${columnsOfTickets("Odometer")} />
    <${List} title="History" rows=${closed} most=${CLOSED.per_page} columns=${columnsOfTickets("Odometer", "Promised")} />
  <//>`;
}

/** @param {{ parameters: string[] }} props */
export function Car({ parameters: [customerId, vehicleId] }) {
  const owner = `/customers/${customerId}`;
  const path = `${owner}/vehicles/${vehicleId}`;
  const { data: vehicle, error, refresh } = usePolled(path);
  const { data: customer } = usePolled(owner, undefined, { seconds: 30 });
  const { data: open } = usePolled(`${path}/history`, OPEN, { seconds: 30 });
  const { data: closed } = usePolled(`${path}/history`, CLOSED, { seconds: 60 });
  if (!vehicle) return html`<p role="status">${error ? explain(error) : "…"}</p>`;
  const { plate, plate_state, vin, odometer, notes } = vehicle;
  const own = open?.filter((/** @type {ListedTicket} */ ticket) => ticket.customer_id === vehicle.customer_id); // not of owners before
  const edit = html`<${EditButton} title="Change the car" labels=${OF_CAR} path=${path} onDone=${refresh} />`;
  const facts = [
    ...[["Owner", customer && html`<a href=${`#${owner}`}>${customer.name}</a>`], ["Phone", call(customer?.phone)]],
    ...[["Plate", plate && `${plate} ${plate_state ?? ""}`], ["VIN", vin], ["Odometer", odometer?.toLocaleString()]],
    ...[["Notes", notes], ["Balance due", own && balanceOf(own)]],
  ];
  return html`<${Record} title=${car(vehicle)} edit=${edit} begin=${newTicket(vehicle)} facts=${facts}>
    <${List} title="Open" rows=${open} most=${OPEN.per_page} columns=${columnsOfTickets("Car")} />
    <${Deferred} path=${path} vehicle=${vehicle} tickets=${own ?? []} />
    <${List} title="History" rows=${closed} most=${CLOSED.per_page} columns=${columnsOfTickets("Car", "Promised")} />
  <//>`;
}
