/** The details of a ticket, changed where they stand, and its history. */

import { fromLocal, isInWork, isLate, numberOf, time, toLocal, words } from "./format.js";
import { useAct, usePolled, useStaff } from "./hooks.js";
import { api, isDesk, isTheirs, useSession } from "./session.js";
import { move } from "./ticket_acts.js";
import { FIELDS } from "./ticket_merge.js";
import { Field, Options } from "./ui.js";
import { html, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./ticket.js").State} State */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketChanges} Changes */
/** @typedef {import("./types").TicketEvent} TicketEvent */

/**
 * @typedef {object} Detail
 * @property {string} name Of the field of the ticket.
 * @property {string} label
 * @property {string} [type] Of the input; "textarea", "select".
 * @property {boolean} [isOfDesk] Mechanics do not change it.
 * @property {boolean} [isNoted] It changes until the ticket is finished, not only while it is worked on.
 * @property {string} [hint]
 * @property {string[]} [options] Of a select; the staff unless given.
 * @property {(ticket: Ticket) => string | null} [read] What stands in the input, where that is not the field as it is.
 * @property {(text: string) => Changes} [write] What to change, where that is not the field, to the text or to nothing.
 */

const OF_DESK = { isOfDesk: true, isNoted: true };
/** @type {Detail[]} */
const DETAILS = [
  { ...OF_DESK, name: "advisor_id", label: "Advisor", type: "select", write: (text) => ({ advisor_id: Number(text) || null }) },
  { name: "hold", label: "Waiting for", type: "select", options: ["parts", "customer", "other"] },
  {
    ...{ ...OF_DESK, name: "promised_at", label: "Promised", type: "datetime-local" },
    ...{ read: ({ promised_at }) => toLocal(promised_at), write: (text) => ({ promised_at: fromLocal(text) }) },
  },
  { name: "key_tag", label: "Key tag", isNoted: true },
  { ...OF_DESK, name: "po_number", label: "PO number" },
  { name: "odometer", label: "Odometer", write: (text) => ({ odometer: /** @type {number} */ (numberOf(text)) }) },
  {
    ...{ name: "discount", label: "Discount", isOfDesk: true, hint: "10% or 25.00", write: writeDiscount },
    read: ({ discount_percent: percent, discount_amount: amount }) => (percent === null ? amount : `${percent}%`),
  },
  { name: "description", label: "Description", type: "textarea" },
  { name: "notes", label: "Notes for the staff", type: "textarea", isNoted: true },
];
const FINISHED = ["paid", "void", "declined"];
const EVENTS = 25; // on a page of the history

/** @param {string} text */
function writeDiscount(text) {
  if (!text.trim()) return { discount_percent: null, discount_amount: null };
  return text.includes("%") ? { discount_percent: text.replace("%", "").trim() } : { discount_amount: text.trim() };
}

/** @param {{ state: State }} props */
export function Details({ state }) {
  const { me } = useSession();
  const staff = useStaff().filter(({ active }) => active);
  const { ticket } = state;
  const { advisor, status } = ticket;
  /** @param {Detail} detail */
  const mayChange = ({ isNoted, isOfDesk }) =>
    (isOfDesk ? isDesk(me) : isTheirs(me, ticket)) && (isNoted ? !FINISHED.includes(status) : isInWork(ticket));
  const desk = staff.filter(isDesk);
  const advisors = advisor && !desk.some(({ id }) => id === advisor.id) ? [advisor, ...desk] : desk;
  return html`<section class="panel details" aria-label="Details">
    <${Mechanics} state=${state} staff=${staff} />
    ${DETAILS.map(
      (detail) => html`<${Editable} key=${detail.name} ...${{ state, detail, advisors }} mayChange=${mayChange(detail)} />`,
    )}
  </section>`;
}

/**
 * A detail that is changed where it stands: leaving it or Enter saves it, Esc puts back what was. What is typed stays
 * until it is saved, whatever arrives meanwhile.
 *
 * @param {{ state: State, detail: Detail, mayChange: boolean, advisors: import("./types").MechanicName[] }} props
 */
function Editable({ state, detail, mayChange, advisors }) {
  const { name, label, type = "text", hint, options, read = (/** @type {any} */ ticket) => ticket[name] } = detail;
  const { write = (/** @type {string} */ value) => ({ [name]: value || null }) } = detail;
  const textOf = (/** @type {import("./types").Ticket} */ ticket) => String(read(ticket) ?? "");
  const text = textOf(state.ticket);
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const typed = useRef(draft);
  const seen = useRef(state.latest());
  const { act, message, problem } = useAct();
  /** @param {string | null} value */
  const keep = (value) => setDraft((typed.current = value));

  /** @param {EventTarget | null} input @param {{ override?: boolean }} [also] @returns {Promise<void>} */
  const save = async (input, also) => {
    const sent = typed.current;
    if (sent === null || sent === textOf(state.latest().ticket)) return keep(null);
    const how = { what: `Change ${label.toLowerCase()}`, seen: seen.current };
    const changes = { ...write(sent), ...also };
    const isDone = await (name === "hold" ? move(state, changes, { ...how, about: ({ hold }) => hold }) : state.edit(changes, how));
    if (!isDone) return;
    seen.current = state.latest();
    if (typed.current === sent) keep(null);
    else if (document.activeElement !== input) await save(input); // it was typed on, and left meanwhile
  };
  /** @param {any} event */
  const input = ({ target }) => {
    if (draft === null) seen.current = state.latest();
    keep(target.value);
    if (type === "select") void act(() => save(target));
  };
  /** @param {Event} event */
  const leave = ({ target }) => document.querySelector("dialog[open]") || act(() => save(target));
  /** @param {KeyboardEvent} event */
  const press = ({ key, target, ctrlKey, metaKey }) => {
    if (key === "Enter" && (type !== "textarea" || ctrlKey || metaKey)) void act(() => save(target));
    if (key === "Escape") keep(null);
  };
  if (!mayChange && !text) return null;
  const looks = [draft !== null && "typed", name === "promised_at" && isLate(state.ticket) && "late"].filter(Boolean).join(" ");
  const listeners = { onInput: input, onBlur: leave, onKeyDown: press };
  const properties = { value: draft ?? text, disabled: !mayChange, class: looks, dir: "auto", ...listeners };
  const error = Object.values(problem?.errors ?? {}).flat(3).join(" ") || message;
  return html`<${Field} label=${label} hint=${draft !== null && hint} error=${error}>
    ${type === "textarea"
      ? html`<textarea rows="2" ...${properties}></textarea>`
      : type === "select"
        ? html`<select ...${properties}><${Options} of=${options ?? advisors} none="–" /></select>`
        : html`<input type=${type} ...${properties} />`}
    ${problem?.slug === "odometer-backwards" &&
    html`<button type="button" onClick=${() => act(() => save(null, { override: true }))}>Use this reading all the same</button>`}
  <//>`;
}

/** @param {{ state: State, staff: import("./types").MechanicName[] }} props */
function Mechanics({ state, staff }) {
  const { me } = useSession();
  const { mechanics } = state.ticket;
  const others = staff.filter(({ id }) => !mechanics.some((each) => each.id === id) && (isDesk(me) || id === me.id));
  const { act, message } = useAct();
  /** @param {string} verb @param {string | number} id */
  const send = (verb, id) => {
    const path = `${state.path}/${verb}-mechanic/${id}`;
    return act(() => state.change((etag) => api.put(path, undefined, { etag }), { what: words(verb), about: () => null }));
  };
  /** @param {any} event */
  const assign = (event) => {
    event.preventDefault();
    const id = event.target.elements.id.value;
    if (id) void send("assign", id);
  };
  /** The button is gone then, so the list has the focus. @param {any} event @param {number} id */
  const takeOff = ({ target }, id) => (target.closest("ul").focus(), send("remove", id));
  const mayChange = isInWork(state.ticket);
  return html`<div class="field">
    <span>Mechanics</span>
    <ul class="people flow" tabindex="-1" aria-label="Mechanics">
      ${mechanics.map(
        ({ id, name }) => html`<li key=${id} class="flow">
          <bdi>${name}</bdi>
          ${mayChange && (isDesk(me) || id === me.id) &&
          html`<button type="button" class="plain" aria-label=${`Take ${name} off`}
            onClick=${(/** @type {Event} */ event) => takeOff(event, id)}>×</button>`}
        </li>`,
      )}
    </ul>
    ${mayChange && others.length > 0 &&
    html`<form class="assign" onSubmit=${assign}>
      <select aria-label="Another mechanic" name="id"><${Options} of=${others} none="Another …" /></select>
      <button>Assign</button>
    </form>`}
    ${message && html`<small class="error" role="alert">${message}</small>`}
  </div>`;
}

/** What an entry of the history is about; jobs and lines by their names. @param {string} what @param {Ticket} ticket */
function subject(what, { jobs }) {
  const [, kind, id, field] = /^(job|labor|fee) (\d+) ?(.*)$/.exec(what) ?? [];
  if (!kind) return FIELDS[what]?.[0] ?? words(what);
  const rows = kind === "job" ? jobs : jobs.flatMap((job) => /** @type {any[]} */ (kind === "fee" ? job.fees : job.labor));
  const found = rows.find((row) => String(row.id) === id);
  return words(`${kind} ${found?.name ?? found?.description ?? id} ${field}`.trim());
}

/** @param {string} what @param {string} value */
const told = (what, value) => (what.endsWith("_at") ? time(value) : value.replaceAll("_", " "));

/**
 * A page of what happened to the ticket, and those after it once they are asked for.
 *
 * @param {{ state: State, page: number }} props
 */
function Events({ state, page }) {
  const [isMore, setMore] = useState(false);
  const { ticket, path } = state;
  const { data } = usePolled(`${path}/history`, { sort: "-id", per_page: EVENTS, page }, { version: ticket.version });
  /** @type {TicketEvent[]} */
  const events = data ?? [];
  /** The button is gone then, so the list has the focus. @param {any} event */
  const showMore = ({ target }) => (target.previousElementSibling.focus(), setMore(true));
  return html`<ol tabindex="-1">
      ${events.filter(({ what, before }) => before !== null || !/^job \d+ name$/.test(what)).map(
        ({ id, what, before, after, reason, mechanic, customer, created_at }) => html`<li key=${id}>
          <small><bdi>${mechanic?.name ?? customer?.name ?? "The system"}</bdi> · ${time(created_at)}</small>
          <bdi>${subject(what, ticket)}</bdi>:
          ${before !== null && html` <del dir="auto">${told(what, before)}</del>${after !== null && " →"}`}
          ${after !== null && html` <ins dir="auto">${told(what, after)}</ins>`}
          ${reason && html` <q dir="auto">${reason}</q>`}
        </li>`,
      )}
    </ol>
    ${isMore && html`<${Events} state=${state} page=${page + 1} />`}
    ${!isMore && events.length === EVENTS && html`<button type="button" class="plain" onClick=${showMore}>Show more</button>`}`;
}

/** What happened to the ticket, the newest first. @param {{ state: State }} props */
export const History = ({ state }) => html`<section class="panel history" aria-label="History">
  <h2>History</h2>
  <${Events} state=${state} page=${1} />
</section>`;
