/** The lines of a job: parts, labor and fees, and the forms that write them. */

import { money, words } from "./format.js";
import { useForm } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, isDesk, useSession } from "./session.js";
import { Badge, Field, Form, notify } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./vendor/preact.js").ComponentChildren} Children */
/** @typedef {{ ticket: Ticket, etag: string | null, change: import("./ticket_state.js").TicketState["change"] }} State Of `useTicket`, once the ticket is there. */
/** @typedef {"parts" | "labor" | "fees"} Kind */
/** @typedef {import("./types").MechanicName[]} Staff */
/** @typedef {{ id: string, state: State, staff: Staff, jobId: number | null, line?: any, onClose: () => void }} LineProps Without a line, a form adds lines until it is closed. */

/** @type {Record<Kind, string>} */
export const NAMES = { parts: "part", labor: "labor", fees: "fee" };

/**
 * A form in the page, which a key or a button opens: it takes the focus, and Esc closes it.
 *
 * @param {{ id: string, label: string, onClose: () => void, children?: Children }} props
 */
export function Inline({ id, label, onClose, children }) {
  useEffect(() => focusIn(id), [id]);
  /** @param {KeyboardEvent} event */
  const press = (event) => event.key === "Escape" && !event.defaultPrevented && (event.preventDefault(), onClose());
  return html`<div class="inline" id=${id} role="group" aria-label=${label} onKeyDown=${press}>${children}</div>`;
}

/** Focus the first field of a form. @param {string} id */
export const focusIn = (id) =>
  /** @type {HTMLElement | null | undefined} */ (document.getElementById(id)?.querySelector("input, select"))?.focus();

/** @param {{ form: any, name: string, label: string, [property: string]: any }} props */
export function Text({ form, name, label, ...input }) {
  return html`<${Field} label=${label} error=${form.errorOf(name)}>
    <input autocomplete="off" dir="auto" ...${input} ...${form.bind(name)} />
  <//>`;
}

/** @param {{ form: any, name: string, label: string, children?: Children }} props The children are its options. */
function Choice({ form, name, label, children }) {
  return html`<${Field} label=${label} error=${form.errorOf(name)}><select ...${form.bind(name)}>${children}</select><//>`;
}

/** @param {{ form: any, name: string, children?: Children }} props */
export function Check({ form, name, children }) {
  const set = (/** @type {Event} */ event) => form.set({ [name]: /** @type {HTMLInputElement} */ (event.target).checked });
  return html`<label class="check">
    <input type="checkbox" name=${name} checked=${form.values[name]} onChange=${set} /> ${children}
  </label>`;
}

/** Offers to wait for what is not on the shelf. @param {{ form: any, isShort?: boolean }} props */
export function Backorder({ form, isShort = false }) {
  const isOffered = isShort || form.values.backorder || form.problem?.slug === "out-of-stock";
  return isOffered && html`<${Check} form=${form} name="backorder">Order what is missing<//>`;
}

/** The buttons of an inline form. @param {{ form: any, submit: string, onClose: () => void, children?: Children }} props */
export function InlineForm({ form, submit, onClose, children }) {
  const close = html`<button type="button" onClick=${onClose}>Close</button>`;
  return html`<${Form} form=${form} submit=${submit} extra=${close}>${children}<//>`;
}

/** Find parts by the beginning of the SKU, then by words. @param {string} text @param {AbortSignal} signal @returns {Promise<Part[]>} */
async function findParts(text, signal) {
  const find = (/** @type {object} */ by) => api.get("/inventory", { ...by, per_page: 8 }, { signal });
  const answers = await Promise.all([find({ sku: text }), find({ q: text })]);
  return [...new Map(answers.flatMap(({ data }) => data.map((/** @type {Part} */ part) => [part.id, part]))).values()];
}

/** @param {Part} part */
const shelf = ({ quantity_available: available, unit, location }) =>
  available === null ? "not counted" : [`${available} ${words(unit).toLowerCase()} on the shelf`, location].filter(Boolean).join(", ");

/** @param {Part} part */
const showPart = (part) => html`<span dir="auto">${part.name} <small>${part.sku}</small></span>
  <span class="number"><small class=${part.quantity_available === 0 ? "late" : ""}>${shelf(part)}</small> ${money(part.price)}</span>`;

/** A number where it is one, else what was typed: the API says what is wrong. @param {string | number} typed */
const number = (typed) => (String(typed).trim() === "" || Number.isNaN(Number(typed)) ? typed : Number(typed));

/** How many of a part a job uses, and at which price. @param {LineProps} props */
function PartForm({ state, jobId, line, onClose }) {
  const { me } = useSession();
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const seen = useRef(state);
  const [part, setPart] = useState(/** @type {Part | null} */ (null));
  const [missing, setMissing] = useState("");
  const partId = line?.part_id ?? part?.id;
  const price = line?.unit_price ?? part?.price ?? "";
  const blank = { text: "", quantity: "1", unit_price: "", price_reason: "", backorder: false };

  /** @param {Ticket} ticket The line that is set: somebody else may have set it. */
  const about = ({ jobs }) => jobs.filter(({ id }) => id === jobId).map((job) => [job.status, lineOf(job)]);
  const lineOf = (/** @type {import("./types").Job} */ job) => job.parts.find((each) => each.part_id === partId);
  const form = useForm(line ? { ...blank, quantity: line.quantity, unit_price: price } : blank, async (values) => {
    if (!partId) return setMissing("Choose a part from the list.");
    const { quantity, unit_price, price_reason, backorder } = values;
    const isRepriced = unit_price !== price || price_reason;
    const body = {
      quantity: number(quantity),
      ...{ job_id: jobId ?? undefined, backorder: backorder || undefined },
      ...(isRepriced && { unit_price, price_reason: price_reason || undefined }),
    };
    const path = `/service-tickets/${state.ticket.id}/add-part/${partId}`;
    const how = { what: `Write the part ${line?.name ?? part?.name}`, about, seen: line ? seen.current : undefined };
    if (!(await state.change((etag) => api.put(path, body, { etag }), how))) return undefined;
    if (line) return onClose();
    notify(`${part?.name}: written.`);
    setPart(null);
    form.set(blank);
    return search.current?.focus();
  });
  /** @param {Part} found */
  const take = (found) => {
    const already = state.ticket.jobs.find(({ id }) => id === jobId)?.parts.find((each) => each.part_id === found.id);
    setPart(found);
    setMissing("");
    form.set({ text: found.name, quantity: String(already?.quantity ?? 1), unit_price: already?.unit_price ?? found.price });
    /** @type {HTMLInputElement | null | undefined} */ (search.current?.form?.querySelector("[name=quantity]"))?.select();
  };
  const type = (/** @type {string} */ text) => (setPart(null), form.set({ text }));
  const available = part?.quantity_available ?? null;
  const unit = line?.unit ?? part?.unit;
  return html`<${InlineForm} form=${form} submit=${line ? "Save part" : "Add part"} onClose=${onClose}>
    <div class="row">
      ${!line &&
      html`<${Picker} label="Part, by SKU or name" text=${form.values.text} onText=${type} search=${findParts} show=${showPart}
        keyOf=${(/** @type {Part} */ each) => each.id} onPick=${take} error=${missing} hint=${part ? shelf(part) : ""}
        input=${{ ref: search, name: "part" }} />`}
      <${Text} form=${form} name="quantity" label=${unit ? `Quantity, ${words(unit).toLowerCase()}` : "Quantity"} inputmode="decimal" />
      ${isDesk(me) && html`<${Text} form=${form} name="unit_price" label="Price of one" inputmode="decimal" />`}
      ${isDesk(me) &&
      (form.values.unit_price !== price || form.values.price_reason) &&
      html`<${Text} form=${form} name="price_reason" label="Why that price" />`}
    </div>
    <${Backorder} form=${form} isShort=${available !== null && Number(form.values.quantity) > available} />
  <//>`;
}

/**
 * Hold a line of labor or a fee, and write it. What is empty is left out of a new line.
 *
 * @param {Kind} kind @param {LineProps} props @param {Record<string, any>} blank
 */
function useLine(kind, { id: formId, state, jobId, line, onClose }, blank) {
  const seen = useRef(state);
  const initial = Object.fromEntries(Object.keys(blank).map((name) => [name, (line ?? blank)[name]]));
  /** @param {Ticket} ticket */
  const about = ({ jobs }) =>
    jobs.filter(({ id }) => id === jobId).map((job) => [job.status, line && job[kind].find(({ id }) => id === line.id)]);
  const form = useForm(initial, async (values, key) => {
    const typed = Object.entries(values).map(([name, value]) => [name, value === "" ? null : value]);
    const sent = typed.filter(([name, value]) => (line ? value !== initial[name] : value !== null));
    const body = Object.fromEntries(sent);
    if (body.mechanic_id) body.mechanic_id = Number(body.mechanic_id);
    const path = `/service-tickets/${state.ticket.id}/${kind}`;
    const send = (/** @type {string | null} */ etag) =>
      line
        ? api.put(`${path}/${line.id}`, body, { etag })
        : api.post(path, { ...body, job_id: jobId ?? undefined }, { key });
    const how = { what: `Write the ${NAMES[kind]}`, about, seen: line ? seen.current : undefined };
    if (!(await state.change(send, how))) return;
    if (line) return onClose();
    notify(`${values.description}: written.`);
    form.set(blank);
    focusIn(formId);
  });
  return form;
}

/** @param {LineProps} props */
function LaborForm(props) {
  const { me } = useSession();
  const { state, staff, line, onClose } = props;
  const [first, ...others] = state.ticket.mechanics;
  const mechanic_id = isDesk(me) ? (others.length ? null : first?.id) : me.id;
  const form = useLine("labor", props, { description: "", hours: "", rate: null, mechanic_id: mechanic_id ?? null });
  return html`<${InlineForm} form=${form} submit=${line ? "Save labor" : "Add labor"} onClose=${onClose}>
    <div class="row">
      <${Text} form=${form} name="description" label="Labor" />
      <${Text} form=${form} name="hours" label="Hours" inputmode="decimal" />
      ${isDesk(me) && html`<${Text} form=${form} name="rate" label="Rate" inputmode="decimal" placeholder="the ticket's" />`}
      <${Choice} form=${form} name="mechanic_id" label="Who">
        <option value="">Nobody yet</option>
        ${staff.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
      <//>
    </div>
  <//>`;
}

/** @param {LineProps} props */
function FeeForm(props) {
  const { line, onClose } = props;
  const form = useLine("fees", props, { description: "", amount: "", kind: "fee", cost: null, taxable: false });
  return html`<${InlineForm} form=${form} submit=${line ? "Save fee" : "Add fee"} onClose=${onClose}>
    <div class="row">
      <${Text} form=${form} name="description" label="Fee" />
      <${Text} form=${form} name="amount" label="Amount" inputmode="decimal" />
      <${Choice} form=${form} name="kind" label="Kind">
        <option value="fee">Fee</option>
        <option value="sublet">Sublet</option>
      <//>
      <${Text} form=${form} name="cost" label="Cost to the shop" inputmode="decimal" />
    </div>
    <${Check} form=${form} name="taxable">Taxed<//>
  <//>`;
}

export const LINE_FORMS = { parts: PartForm, labor: LaborForm, fees: FeeForm };

/** @param {Kind} kind @param {any} line @param {Staff} staff What the columns of a line say. */
function columnsOf(kind, line, staff) {
  const name = line.name ?? line.description;
  if (kind === "parts")
    return { name, notes: [line.sku, line.price_reason], quantity: line.quantity, unit: line.unit, price: line.unit_price, total: line.line_total };
  if (kind === "fees") return { name, notes: [line.kind === "sublet" && "Sublet"], total: line.amount };
  const who = staff.find(({ id }) => id === line.mechanic_id)?.name;
  return { name, notes: [who], quantity: line.hours, unit: "hours", price: line.rate, total: line.line_total };
}

/** @param {Kind} kind @param {any} line @param {State} state */
function removal(kind, line, { ticket, change }) {
  const path = `/service-tickets/${ticket.id}`;
  const send = (/** @type {string | null} */ etag) =>
    kind === "parts"
      ? api.put(`${path}/remove-part/${line.part_id}`, { job_id: line.job_id }, { etag })
      : api.delete(`${path}/${kind}/${line.id}`, { etag });
  /** @param {Ticket} now */
  const about = (now) => now.jobs.map((job) => job[kind].find(({ id }) => id === line.id));
  return change(send, { what: `Remove ${line.name ?? line.description}`, about });
}

/**
 * A line as a row of the table, or its form.
 *
 * @param {{ kind: Kind, line: any, screen: import("./ticket_jobs.js").Screen }} props
 */
function Line({ kind, line, screen }) {
  const { state, staff, forms, attempt, mayWrite, mayPrice } = screen;
  const id = `${kind}-${line.id}`;
  const heading = `job-${line.job_id}`;
  const { name, notes, quantity, unit, price, total } = columnsOf(kind, line, staff);
  const props = { id, state, staff, jobId: line.job_id, line, onClose: () => forms.close(id, heading) };
  const remove = () => attempt(removal(kind, line, state), heading);
  if (forms.isOpen(id))
    return html`<tr>
      <td colspan="6"><${Inline} id=${id} label=${name} onClose=${props.onClose}>
        <strong dir="auto">${kind === "parts" && name}</strong><${LINE_FORMS[kind]} ...${props} />
      <//></td>
    </tr>`;
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

/** @param {{ job: import("./types").Job, screen: import("./ticket_jobs.js").Screen }} props */
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
        <th scope="col" class="number">Quantity</th>
        <th scope="col">Unit</th>
        <th scope="col" class="number">Price</th>
        <th scope="col" class="number">Total</th>
        <td></td>
      </tr>
    </thead>
    <tbody>${rows}</tbody>
  </table>`;
}
