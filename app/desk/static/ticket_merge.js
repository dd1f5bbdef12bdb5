/** What somebody else changed on a ticket meanwhile, and the dialog that merges it with what one is about to change. */

import { car, money, time, words } from "./format.js";
import { api } from "./session.js";
import { Choices, Dialog } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketEvent} TicketEvent */
/** @typedef {{ name: string, label: string, before: string, after: string, who: string }} Difference */

/** How the fields of a ticket are called, and written. @type {Record<string, [string, (ticket: Ticket) => string | null | undefined]>} */
export const FIELDS = {
  status: ["Status", ({ status }) => words(status)],
  hold: ["Waiting for", ({ hold }) => words(hold)],
  promised_at: ["Promised", ({ promised_at }) => promised_at && time(promised_at)],
  advisor: ["Advisor", ({ advisor }) => advisor?.name],
  mechanics: ["Mechanics", ({ mechanics }) => mechanics.map(({ name }) => name).join(", ")],
  description: ["Description", ({ description }) => description],
  notes: ["Notes", ({ notes }) => notes],
  key_tag: ["Key tag", ({ key_tag }) => key_tag],
  po_number: ["PO number", ({ po_number }) => po_number],
  odometer: ["Odometer", ({ odometer }) => odometer?.toString()],
  vehicle: ["Car", ({ vehicle }) => vehicle && car(vehicle)],
  discount: [
    "Discount",
    ({ discount_percent: percent, discount_amount: amount }) => (percent === null ? amount && money(amount) : `${percent} %`),
  ],
  authorized_amount: ["Authorised", ({ authorized_amount }) => authorized_amount && money(authorized_amount)],
};

/** What a ticket says, each with a label, a text, and how its entries in the history begin. @param {Ticket} ticket */
function entries(ticket) {
  /** @type {Map<string, { label: string, text: string, names: string[] }>} */
  const all = new Map();
  /** @param {string} name @param {string} label @param {string | null | undefined} text @param {string[]} names */
  const add = (name, label, text, ...names) => all.set(name, { label, text: text ?? "", names: [name, ...names] });
  for (const [name, [label, write]] of Object.entries(FIELDS)) add(name, label, write(ticket), `${name}_percent`, `${name}_amount`);
  for (const job of ticket.jobs) {
    add(`job ${job.id}`, "Job", `${job.name} (${words(job.status).toLowerCase()})`);
    for (const { id, name, quantity, unit_price: price } of job.parts)
      add(`part ${id}`, name, `${quantity} × ${money(price)}`, `part ${name}`);
    for (const { id, description: name, hours, rate } of job.labor)
      add(`labor ${id}`, name, `${hours} h × ${money(rate)}`, `labor ${name}`);
    for (const { id, kind, description: name, amount } of job.fees) add(`fee ${id}`, name, money(amount), `${kind} ${name}`);
  }
  return all;
}

/** Return what differs between two states of a ticket, with who changed it. @param {Ticket} before @param {Ticket} after */
export async function differences(before, after) {
  const [old, fresh] = [entries(before), entries(after)];
  const history = await api.get(`/service-tickets/${after.id}/history`, { sort: "-id", per_page: 50 }).catch(() => null);
  /** @type {TicketEvent[]} */
  const events = history?.data ?? [];
  return [...new Map([...old, ...fresh])].flatMap(([name, { label, names }]) => {
    const [was = "", is = ""] = [old.get(name)?.text, fresh.get(name)?.text];
    const event = events.find(({ what }) => names.some((each) => `${what} `.startsWith(`${each} `)));
    const who = event?.mechanic?.name ?? event?.customer?.name ?? "Somebody";
    return was === is ? [] : [{ name, label, before: was, after: is, who }];
  });
}

/** Tell in a sentence who changed what. @param {Difference[]} theirs */
export function tell(theirs) {
  const who = [...new Set(theirs.map((each) => each.who))].join(", ") || "Somebody";
  return `Meanwhile ${who} changed: ${theirs.map((each) => each.label).join(", ") || "the ticket"}.`;
}

/** The name of what a field of `PUT .../edit` changes. @param {string} name */
const aim = (name) => name.replace(/_id$/, "").replace(/^discount_.*/, "discount");

/** How what is aimed at would be written after the changes. @param {string} name @param {any} changes */
function written(name, changes) {
  if (name === "advisor") return "who I chose";
  return FIELDS[name]?.[1]({ discount_percent: null, discount_amount: null, ...changes }) ?? "";
}

/** What becomes of a field: theirs or mine. @param {string} value @param {string} who @param {string} text */
const choiceOf = (value, who, text) => [value, html`${who}: <q dir="auto">${text || "(empty)"}</q>`];

/**
 * Show what somebody else changed, and ask what becomes of one's own change.
 *
 * @param {{ conflict: import("./ticket_state.js").Conflict }} props
 */
export function Merge({ conflict: { what, theirs, changes = {}, isEdit, resolve } }) {
  const aims = Object.keys(changes).map(aim);
  const both = theirs.filter(({ name }) => aims.includes(name));
  /** @param {SubmitEvent} event */
  const merge = (event) => {
    event.preventDefault();
    const chosen = new FormData(/** @type {HTMLFormElement} */ (event.target));
    resolve(Object.fromEntries(Object.entries(changes).filter(([name]) => chosen.get(aim(name)) !== "theirs")));
  };
  return html`<${Dialog} title="This ticket changed meanwhile" onClose=${() => resolve(null)}>
    <form onSubmit=${merge}>
      <ul>
        ${theirs.map(
          ({ name, label, before, after, who }) => html`<li key=${name}>
            <strong>${who}</strong> changed <bdi>${label}</bdi>:
            ${" "}<del dir="auto">${before || "(empty)"}</del> → <ins dir="auto">${after || "(gone)"}</ins>
          </li>`,
        )}
        ${!theirs.length && html`<li>Figures or stock changed.</li>`}
      </ul>
      ${both.map(({ name, label, who, after }) => html`<${Choices} key=${name} name=${name} legend=${label} required
        of=${[choiceOf("theirs", who, after), choiceOf("mine", "Mine", written(name, changes))]} />`)}
      <footer>
        <button type="button" onClick=${() => resolve(null)}>Leave it</button>
        <button class="primary">${isEdit ? "Save" : `${what} all the same`}</button>
      </footer>
    </form>
  <//>`;
}
