/** The lines of a job as a table, each of which becomes its form. */

import { money, words } from "./format.js";
import { LINE_FORMS } from "./line_forms.js";
import { api } from "./session.js";
import { Badge } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {import("./line_forms.js").Kind} Kind */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./ticket_jobs.js").Panel} Panel */

/** What the columns of a line say. @param {Kind} kind @param {any} line @param {import("./line_forms.js").Staff} staff */
function columnsOf(kind, line, staff) {
  if (kind === "parts") return { notes: [line.sku, line.price_reason], quantity: line.quantity, unit: line.unit, price: line.unit_price };
  if (kind === "fees") return { notes: [line.kind === "sublet" && "Sublet"] };
  const who = staff.find(({ id }) => id === line.mechanic_id)?.name;
  return { notes: [who], quantity: line.hours, unit: "hours", price: line.rate };
}

/** @param {{ kind: Kind, line: any, panel: Panel }} props A row of the table, or its form. */
function Line({ kind, line, panel: { screen, attempt, mayChange } }) {
  const { state, staff, forms, mayPrice } = screen;
  const id = `${kind}-${line.id}`;
  const name = line.name ?? line.description;
  const close = () => forms.close(id, `job-${line.job_id}`);
  const props = { id, label: `Edit ${name}`, state, staff, jobId: line.job_id, line, onClose: close };
  if (forms.isOpen(id)) return html`<tr><td colspan="6"><strong dir="auto">${kind === "parts" && name}</strong><${LINE_FORMS[kind]} ...${props} /></td></tr>`;

  const path = `/service-tickets/${state.ticket.id}`;
  const send = (/** @type {string | null} */ etag) =>
    kind === "parts"
      ? api.put(`${path}/remove-part/${line.part_id}`, { job_id: line.job_id }, { etag })
      : api.delete(`${path}/${kind}/${line.id}`, { etag });
  const about = (/** @type {Ticket} */ { jobs }) => jobs.map((job) => job[kind].find((each) => each.id === line.id));
  const { notes, quantity, unit, price } = columnsOf(kind, line, staff);
  return html`<tr>
    <td>
      <span dir="auto">${name}</span> ${notes.filter(Boolean).map((note) => html`<small><bdi>${note}</bdi></small> `)}
      ${line.quantity_short > 0 && html`<${Badge} status="short">${line.quantity_short} short<//>`}
    </td>
    <td class="number">${quantity}</td>
    <td class="quiet">${words(unit)}</td>
    <td class="number">${price && money(price)}</td>
    <td class="number">${money(line.line_total ?? line.amount)}</td>
    <td class="acts">
      ${mayChange && (kind !== "fees" || mayPrice) && html`
        <button type="button" class="plain" aria-label=${`Edit ${name}`} onClick=${() => forms.open(id)}>Edit</button>
        <button type="button" class="plain" aria-label=${`Remove ${name}`} onClick=${() => attempt(`Remove ${name}`, send, { about })}>×</button>`}
    </td>
  </tr>`;
}

/** @param {{ job: import("./types").Job, panel: Panel }} props */
export function Lines({ job, panel }) {
  const rows = /** @type {Kind[]} */ (["parts", "labor", "fees"]).flatMap((kind) =>
    job[kind].map((line) => html`<${Line} key=${`${kind}-${line.id}`} kind=${kind} line=${line} panel=${panel} />`),
  );
  const heads = [["Line"], ["Qty", "number"], ["Unit"], ["Price", "number"], ["Total", "number"]];
  return rows.length > 0 && html`<table class="lines">
    <thead><tr>${heads.map(([text, align]) => html`<th key=${text} scope="col" class=${align}>${text}</th>`)}<td></td></tr></thead>
    <tbody>${rows}</tbody>
  </table>`;
}
