/**
 * The lines of a job: parts, labor, fees, as a table, and the forms that write them. These stand in the page, and stay
 * open to write several.
 */

import { money, numberOf, words } from "./format.js";
import { useForm } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, isDesk, useSession } from "./session.js";
import { Badge, Check, Form, Select, Text } from "./ui.js";
import { html, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Part} Part */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./vendor/preact.js").ComponentChildren} Children */
/** @typedef {import("./ticket_jobs.js").Panel} Panel */
/** @typedef {import("./types").MechanicName[]} Staff */
/** @typedef {"parts" | "labor" | "fees"} Kind */

/**
 * @typedef {object} State Of `useTicket`, once the ticket is there.
 * @property {Ticket} ticket
 * @property {string | null} etag
 * @property {import("./ticket_state.js").TicketState["change"]} change
 *
 * @typedef {object} LineProps Of a form; without a line it adds lines.
 * @property {string} id
 * @property {string} label
 * @property {State} state
 * @property {Staff} staff
 * @property {number | null} jobId
 * @property {any} [line]
 * @property {() => void} onClose
 */

/** Focus the first field of a form. @param {string} id */
export const focusIn = (id) =>
  /** @type {HTMLElement | null | undefined} */ (document.getElementById(id)?.querySelector("input, select"))?.focus();

/**
 * A form in the page, which a key or a button opens: it takes the focus, and Esc closes it.
 *
 * @param {{ id: string, label: string, form: any, submit: string, onClose: () => void, children?: Children }} props
 */
export function InlineForm({ id, label, form, submit, onClose, children }) {
  useLayoutEffect(() => focusIn(id), [id]); // before the next key is pressed
  /** @param {KeyboardEvent} event */
  const press = (event) => event.key === "Escape" && !event.defaultPrevented && (event.preventDefault(), onClose());
  const close = html`<span role="status" class="visually-hidden">${form.done}</span>
    <button type="button" onClick=${onClose}>Close</button>`;
  return html`<div class="inline" id=${id} role="group" aria-label=${label} onKeyDown=${press}>
    <${Form} form=${form} submit=${submit} extra=${close}>${children}<//>
  </div>`;
}

/** Offers to wait for what is not on the shelf. @param {{ form: any, isShort?: boolean }} props */
export function Backorder({ form, isShort = false }) {
  const isOffered = isShort || form.values.backorder || form.problem?.slug === "out-of-stock";
  return isOffered && html`<${Check} form=${form} name="backorder">Order what is missing<//>`;
}

/**
 * Hold a line that is added again and again, or changed once. What somebody else did to it meanwhile is asked about.
 *
 * @param {Kind} kind @param {LineProps} props @param {Record<string, any>} blank @param {Record<string, any>} initial
 * @param {(values: any, etag: string | null, key: string) => Promise<import("./api.js").Answer>} send
 * @param {(line: any, values: any) => boolean} isIt Whether a line is the one that is written.
 */
function useLine(kind, { id, label, state, jobId, line, onClose }, blank, initial, send, isIt) {
  const seen = useRef(state);
  const [done, setDone] = useState("");
  const form = useForm(initial, async (values, key) => {
    /** @param {Ticket} ticket */
    const about = ({ jobs }) =>
      jobs.filter((job) => job.id === jobId).map((job) => [job.status, job[kind].find((each) => isIt(each, values))]);
    const how = { what: label, about, seen: line ? seen.current : undefined };
    if (!(await state.change((etag) => send(values, etag, key), how))) return undefined;
    if (line) return onClose();
    setDone(`${values.description}: written.`);
    form.set(blank);
    return focusIn(id);
  });
  return { ...form, done };
}

/** Find parts by the beginning of the SKU, then by words. @param {string} text @param {AbortSignal} signal @returns {Promise<Part[]>} */
async function findParts(text, signal) {
  const find = (/** @type {object} */ by) => api.get("/inventory", { ...by, per_page: 8 }, { signal });
  const answers = await Promise.all([find({ sku: text }), find({ q: text })]);
  return [...new Map(answers.flatMap(({ data }) => data.map((/** @type {Part} */ part) => [part.id, part]))).values()];
}

/** @param {Part} part What is on the shelf, and where that is. */
function shelf({ quantity_available: available, unit, location }) {
  if (available === null) return "not counted";
  return `${available} ${unit === "each" ? "" : `${words(unit).toLowerCase()} `}available${location ? `, ${location}` : ""}`;
}

/** @param {Part} part */
const showPart = (part) => html`<span dir="auto">${part.name} <small>${part.sku}</small></span>
  <span class="number"><small class=${part.quantity_available === 0 ? "late" : ""}>${shelf(part)}</small> ${money(part.price)}</span>`;

/** How many of a part a job uses, and at which price. A part that the job has already is changed. @param {LineProps} props */
function PartForm(props) {
  const { me } = useSession();
  const { state, jobId, line } = props;
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [missing, setMissing] = useState("");
  const idOf = (/** @type {any} */ { part }) => line?.part_id ?? part?.id;
  const priceOf = (/** @type {any} */ { part }) => lineOf(part)?.unit_price ?? part?.price ?? "";
  const job = state.ticket.jobs.find(({ id }) => id === jobId);
  const lineOf = (/** @type {Part | null} */ part) => line ?? job?.parts.find((each) => each.part_id === part?.id);

  const blank = { part: null, description: "", quantity: "1", unit_price: "", price_reason: "", backorder: false };
  const initial = { ...blank, ...(line && { description: line.name, quantity: String(line.quantity), unit_price: line.unit_price }) };
  const isRepriced = (/** @type {any} */ values) => isDesk(me) && (values.unit_price !== priceOf(values) || values.price_reason);
  /** @param {any} values @param {string | null} etag */
  const send = (values, etag) => {
    const { quantity, unit_price, price_reason, backorder } = values;
    const body = { quantity: numberOf(quantity), job_id: jobId ?? undefined, backorder: backorder || undefined };
    const price = isRepriced(values) && { unit_price, price_reason: price_reason || undefined };
    return api.put(`/service-tickets/${state.ticket.id}/add-part/${idOf(values)}`, { ...body, ...price }, { etag });
  };
  const form = useLine("parts", props, blank, initial, send, (each, values) => each.part_id === idOf(values));
  const { values } = form;

  /** @param {Part} part */
  const take = (part) => {
    setMissing("");
    form.set({ part, description: part.name, quantity: String(lineOf(part)?.quantity ?? 1), unit_price: priceOf({ part }) });
    /** @type {HTMLInputElement | null | undefined} */ (input.current?.form?.querySelector("[name=quantity]"))?.select();
  };
  const type = (/** @type {string} */ description) => form.set({ part: null, description });
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    return idOf(values) ? form.submit() : setMissing("Choose a part from the list.");
  };
  const { part } = values;
  const unit = line?.unit ?? part?.unit;
  return html`<${InlineForm} ...${props} form=${{ ...form, submit }} submit=${line ? "Save part" : "Add part"}>
    <div class="row">
      ${!line &&
      html`<${Picker} label="Part, by SKU or name" text=${values.description} onText=${type} onPick=${take}
        search=${findParts} show=${showPart}
        error=${missing} hint=${part ? shelf(part) : ""} input=${{ ref: input, name: "part" }} />`}
      <${Text} form=${form} name="quantity" label=${unit ? `Quantity, ${words(unit).toLowerCase()}` : "Quantity"} inputmode="decimal" />
      ${isDesk(me) && html`<${Text} form=${form} name="unit_price" label="Price of one" inputmode="decimal" />`}
      ${isRepriced(values) && html`<${Text} form=${form} name="price_reason" label="Why that price" />`}
    </div>
    <${Backorder} form=${form} isShort=${job?.status === "approved" && Number(values.quantity) > (part?.quantity_available ?? Infinity)} />
  <//>`;
}

/** @param {Kind} kind @param {LineProps} props @param {Record<string, any>} blank What is empty is left out of a new line. */
function useOwnLine(kind, props, blank) {
  const { state, jobId, line } = props;
  const initial = Object.fromEntries(Object.keys(blank).map((name) => [name, (line ?? blank)[name]]));
  /** @param {any} values @param {string | null} etag @param {string} key */
  const send = (values, etag, key) => {
    const typed = Object.entries(values).map(([name, value]) => [name, value === "" ? null : value]);
    const body = Object.fromEntries(typed.filter(([name, value]) => (line ? value !== initial[name] : value !== null)));
    if (body.mechanic_id) body.mechanic_id = Number(body.mechanic_id);
    const path = `/service-tickets/${state.ticket.id}/${kind}`;
    return line ? api.put(`${path}/${line.id}`, body, { etag }) : api.post(path, { ...body, job_id: jobId ?? undefined }, { key });
  };
  return useLine(kind, props, blank, initial, send, ({ id }) => id === line?.id);
}

/** @param {LineProps} props */
function LaborForm(props) {
  const { me } = useSession();
  const [first, ...others] = props.state.ticket.mechanics;
  const mechanic_id = isDesk(me) ? (others.length ? null : first?.id ?? null) : me.id;
  const form = useOwnLine("labor", props, { description: "", hours: "", rate: null, mechanic_id });
  return html`<${InlineForm} ...${props} form=${form} submit=${props.line ? "Save labor" : "Add labor"}>
    <div class="row">
      <${Text} form=${form} name="description" label="Labor" />
      <${Text} form=${form} name="hours" label="Hours" inputmode="decimal" />
      ${isDesk(me) && html`<${Text} form=${form} name="rate" label="Rate" inputmode="decimal" placeholder="the ticket’s" />`}
      <${Select} form=${form} name="mechanic_id" label="Who" of=${props.staff} none="Nobody yet" />
    </div>
  <//>`;
}

/** @param {LineProps} props */
function FeeForm(props) {
  const form = useOwnLine("fees", props, { description: "", amount: "", kind: "fee", cost: null, taxable: false });
  return html`<${InlineForm} ...${props} form=${form} submit=${props.line ? "Save fee" : "Add fee"}>
    <div class="row">
      <${Text} form=${form} name="description" label="Fee" />
      <${Text} form=${form} name="amount" label="Amount" inputmode="decimal" />
      <${Select} form=${form} name="kind" label="Kind" of=${["fee", "sublet"]} />
      <${Text} form=${form} name="cost" label="Cost to the shop" inputmode="decimal" />
    </div>
    <${Check} form=${form} name="taxable">Taxed<//>
  <//>`;
}

export const LINE_FORMS = { parts: PartForm, labor: LaborForm, fees: FeeForm };

/** What the columns of a line say. @param {Kind} kind @param {any} line @param {Staff} staff */
function columnsOf(kind, line, staff) {
  const { sku, price_reason, quantity, unit, unit_price: price } = line;
  if (kind === "parts") return { notes: [sku, price_reason], quantity, unit, price };
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
  const title = html`<strong dir="auto">${kind === "parts" && name}</strong>`;
  if (forms.isOpen(id)) return html`<tr><td colspan="6">${title}<${LINE_FORMS[kind]} ...${props} /></td></tr>`;

  const path = `/service-tickets/${state.ticket.id}`;
  const send = (/** @type {string | null} */ etag) =>
    kind === "parts"
      ? api.put(`${path}/remove-part/${line.part_id}`, { job_id: line.job_id }, { etag })
      : api.delete(`${path}/${kind}/${line.id}`, { etag });
  const about = (/** @type {Ticket} */ { jobs }) => jobs.map((job) => job[kind].find((each) => each.id === line.id));
  const remove = () => attempt(`Remove ${name}`, send, { about });
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
        <button type="button" class="plain" aria-label=${`Remove ${name}`} onClick=${remove}>×</button>`}
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
