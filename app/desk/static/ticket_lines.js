/** The lines of a job as a table, each of which becomes its form. */

import { money, words } from "./format.js";
import { LINE_FORMS } from "./line_forms.js";
import { api } from "./session.js";
import { Badge } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./line_forms.js").Kind} Kind */
/** @typedef {import("./ticket_jobs.js").Screen} Screen */

/** @param {Kind} kind @param {any} line @param {Screen["staff"]} staff What the columns of a line say. */
function columnsOf(kind, line, staff) {
  const name = line.name ?? line.description;
  if (kind === "parts")
    return { name, notes: [line.sku, line.price_reason], quantity: line.quantity, unit: line.unit, price: line.unit_price, total: line.line_total };
  if (kind === "fees") return { name, notes: [line.kind === "sublet" && "Sublet"], total: line.amount };
  const who = staff.find(({ id }) => id === line.mechanic_id)?.name;
  return { name, notes: [who], quantity: line.hours, unit: "hours", price: line.rate, total: line.line_total };
}

/** @param {Kind} kind @param {any} line @param {Screen["state"]} state */
function removal(kind, line, { ticket, change }) {
  const path = `/service-tickets/${ticket.id}`;
  const send = (/** @type {string | null} */ etag) =>
    kind === "parts"
      ? api.put(`${path}/remove-part/${line.part_id}`, { job_id: line.job_id }, { etag })
      : api.delete(`${path}/${kind}/${line.id}`, { etag });
  /** @param {import("./types").Ticket} now */
  const about = (now) => now.jobs.map((job) => job[kind].find(({ id }) => id === line.id));
  return change(send, { what: `Remove ${line.name ?? line.description}`, about });
}

/**
 * A line as a row of the table, or its form.
 *
 * @param {{ kind: Kind, line: any, screen: Screen }} props
 */
function Line({ kind, line, screen }) {
  const { state, staff, forms, attempt, mayWrite, mayPrice } = screen;
  const id = `${kind}-${line.id}`;
  const heading = `job-${line.job_id}`;
  const { name, notes, quantity, unit, price, total } = columnsOf(kind, line, staff);
  const props = { id, label: `Edit ${name}`, state, staff, jobId: line.job_id, line, onClose: () => forms.close(id, heading) };
  const remove = () => attempt(removal(kind, line, state), heading);
  if (forms.isOpen(id)) return html`<tr><td colspan="6"><strong dir="auto">${name}</strong><${LINE_FORMS[kind]} ...${props} /></td></tr>`;
  return html`<tr>
    <td>
      <span dir="auto">${name}</span> ${notes.filter(Boolean).map((note) => html`<small dir="auto">${note}</small> `)}
      ${line.quantity_short > 0 && html`<${Badge} status="short">${line.quantity_short} short<//>`}
    </td>
    <td class="number">${quantity}</td>
    <td class="quiet">${words(unit)}</td>
    <td class="number">${price && money(price)}</td>
    <td class="number">${money(total)}</td>
    <td class="acts">
      ${mayWrite && (kind !== "fees" || mayPrice) && html`
        <button type="button" class="plain" aria-label=${`Edit ${name}`} onClick=${() => forms.open(id)}>Edit</button>
        <button type="button" class="plain" aria-label=${`Remove ${name}`} onClick=${remove}>×</button>`}
    </td>
  </tr>`;
}

/** @param {{ job: import("./types").Job, screen: Screen }} props */
export function Lines({ job, screen }) {
  /** @type {Kind[]} */
  const kinds = ["parts", "labor", "fees"];
  const rows = kinds.flatMap((kind) =>
    job[kind].map((line) => html`<${Line} key=${`${kind}-${line.id}`} kind=${kind} line=${line} screen=${screen} />`),
  );
  return html`<table class="lines">
    <thead>
      <tr>
        <th scope="col">Line</th>
        <th scope="col" class="number">Qty</th>
        <th scope="col">Unit</th>
        <th scope="col" class="number">Price</th>
        <th scope="col" class="number">Total</th>
        <td></td>
      </tr>
    </thead>
    <tbody>${rows}</tbody>
  </table>`;
}
