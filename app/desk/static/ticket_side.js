/** The details of a ticket, changed where they stand, and its history. */

import { fromLocal, isPast, STATUS_NAMES, time, toLocal, words } from "./format.js";
import { useAct, usePolled } from "./hooks.js";
import { api, isDesk, useSession } from "./session.js";
import { move } from "./ticket_acts.js";
import { Field } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./ticket.js").State} State */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketChanges} Changes */
/** @typedef {import("./types").TicketEvent} TicketEvent */

/** @typedef {{ id: number | string, name: string }} Option */

/**
 * @typedef {object} Detail
 * @property {string} label
 * @property {(ticket: Ticket) => string | number | null | undefined} read What stands in the input.
 * @property {(text: string) => any} write The fields to change.
 * @property {string} [type] Of the input; "textarea", "select".
 * @property {boolean} [isOfDesk] Mechanics do not change it.
 * @property {boolean} [isNoted] It changes until the ticket is finished, not only while it is worked on.
 * @property {string} [hint]
 * @property {Option[]} [options] Of a select; the staff unless given.
 * @property {(ticket: Ticket) => boolean} [isLate]
 */

/** @type {Detail[]} */
const DETAILS = [
  {
    ...{ label: "Advisor", type: "select", isOfDesk: true, isNoted: true },
    read: ({ advisor_id }) => advisor_id,
    write: (text) => ({ advisor_id: text ? Number(text) : null }),
  },
  {
    ...{ label: "Waiting for", type: "select", options: ["parts", "customer", "other"].map((id) => ({ id, name: words(id) })) },
    read: ({ hold }) => hold,
    write: (text) => ({ hold: text || null }),
  },
  {
    ...{ label: "Promised", type: "datetime-local", isOfDesk: true, isNoted: true },
    isLate: ({ promised_at, status }) => isPast(promised_at) && WORKED_ON.includes(status),
    read: ({ promised_at }) => toLocal(promised_at),
    write: (text) => ({ promised_at: fromLocal(text) }),
  },
  { ...{ label: "Key tag", isNoted: true }, read: ({ key_tag }) => key_tag, write: (text) => ({ key_tag: text || null }) },
  {
    ...{ label: "PO number", isOfDesk: true, isNoted: true },
    read: ({ po_number }) => po_number,
    write: (text) => ({ po_number: text || null }),
  },
  { label: "Odometer", read: ({ odometer }) => odometer, write: (text) => ({ odometer: /^\d+$/.test(text) ? Number(text) : text }) },
  { ...{ label: "Discount", isOfDesk: true, hint: "10% or 25.00" }, read: readDiscount, write: writeDiscount },
  { ...{ label: "Description", type: "textarea" }, read: ({ description }) => description, write: (description) => ({ description }) },
  {
    ...{ label: "Notes for the staff", type: "textarea", isNoted: true },
    read: ({ notes }) => notes,
    write: (text) => ({ notes: text || null }),
  },
];
const WORKED_ON = ["estimate", "open", "in_progress"];
const FINISHED = ["paid", "void", "declined"];

/** @param {Ticket} ticket */
function readDiscount({ discount_percent, discount_amount }) {
  return discount_percent === null ? discount_amount : `${discount_percent}%`;
}

/** @param {string} text */
function writeDiscount(text) {
  if (!text.trim()) return { discount_percent: null, discount_amount: null };
  return text.includes("%") ? { discount_percent: text.replace("%", "").trim() } : { discount_amount: text.trim() };
}

/** @param {{ state: State }} props */
export function Details({ state }) {
  const { me } = useSession();
  const staff = usePolled("/mechanics", { active: true, per_page: 100 }, { seconds: 300 }).data ?? [];
  const { status, mechanics, advisor, opened_by: opener } = state.ticket;
  const isOwn = isDesk(me) || [opener, ...mechanics].some(({ id }) => id === me.id);
  /** @param {Detail} detail */
  const mayChange = ({ isNoted, isOfDesk }) =>
    (isOfDesk ? isDesk(me) : isOwn) && (isNoted ? !FINISHED.includes(status) : WORKED_ON.includes(status));
  const advisors = advisor && !staff.some((/** @type {any} */ each) => each.id === advisor.id) ? [advisor, ...staff] : staff;
  return html`<section class="panel details" aria-label="Details">
    <${Mechanics} state=${state} staff=${staff} />
    ${DETAILS.map(
      (detail) => html`<${Editable} key=${detail.label} state=${state} detail=${detail} canChange=${mayChange(detail)} options=${detail.options ?? advisors} />`,
    )}
  </section>`;
}

/**
 * A detail that is changed where it stands: leaving it or Enter saves it, Esc puts back what was. What is typed stays
 * until it is saved, whatever arrives meanwhile.
 *
 * @param {{ state: State, detail: Detail, canChange: boolean, options: Option[] }} props
 */
function Editable({ state, detail: { label, read, write, type = "text", hint, isLate }, canChange, options }) {
  const text = String(read(state.ticket) ?? "");
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const seen = useRef(state);
  const { act, message, problem } = useAct();

  /** @param {string} sent @param {Changes} [also] */
  const save = async (sent, also) => {
    if (sent === text) return setDraft(null);
    const how = { what: `Change ${label.toLowerCase()}`, seen: seen.current };
    const changes = { ...write(sent), ...also };
    const isDone = await ("hold" in changes ? move(state, changes, { ...how, about: ({ hold }) => hold }) : state.edit(changes, how));
    seen.current = state;
    return isDone && setDraft((now) => (now === sent ? null : now));
  };
  /** @param {any} event */
  const input = ({ target }) => {
    if (draft === null) seen.current = state;
    setDraft(target.value);
    if (type === "select") void act(() => save(target.value));
  };
  const leave = () => draft !== null && !document.querySelector("dialog[open]") && act(() => save(draft));
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const isLine = type !== "textarea" || event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && isLine && draft !== null) void act(() => save(draft));
    if (event.key === "Escape") setDraft(null);
  };
  if (!canChange && !text) return null;
  const properties = { value: draft ?? text, disabled: !canChange, onInput: input, onBlur: leave, onKeyDown: press };
  return html`<${Field} label=${label} hint=${draft !== null && hint} error=${problemsOf(problem) || message}>
    ${type === "textarea" && html`<textarea dir="auto" rows="2" ...${properties}></textarea>`}
    ${type === "select" &&
    html`<select ...${properties}>
      <option value="">–</option>
      ${options.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>`}
    ${type !== "textarea" && type !== "select" && html`<input type=${type} dir="auto" class=${isLate?.(state.ticket) ? "late" : ""} ...${properties} />`}
    ${problem?.slug === "odometer-backwards" &&
    html`<button type="button" onClick=${() => act(() => save(draft ?? text, { override: true }))}>Use this reading all the same</button>`}
  <//>`;
}

/** What is wrong with fields of the request. @param {import("./api.js").Problem | null} problem */
const problemsOf = (problem) => Object.values(problem?.errors ?? {}).flat(3).join(" ");

/** @param {{ state: State, staff: import("./types").MechanicName[], isOwn: boolean }} props */
function Mechanics({ state, staff }) {
  const { me } = useSession();
  const { act, message } = useAct();
  const { mechanics, status } = state.ticket;
  /** @param {string} verb @param {number} id */
  const send = (verb, id) => act(() =>
    state.change((etag) => api.put(`${state.path}/${verb}-mechanic/${id}`, undefined, { etag }), { what: words(verb), about: () => null }));
  const others = staff.filter(({ id }) => !mechanics.some((each) => each.id === id) && (isDesk(me) || id === me.id));
  const canChange = WORKED_ON.includes(status);
  return html`<div class="field">
    <span>Mechanics</span>
    <ul class="people">
      ${mechanics.map(({ id, name }) => html`<li key=${id}>
        <bdi>${name}</bdi>
        ${canChange && (isDesk(me) || id === me.id) && html`<button type="button" class="plain" aria-label=${`Take ${name} off`} onClick=${() => send("remove", id)}>×</button>`}
      </li>`)}
    </ul>
    ${canChange && others.length > 0 &&
    html`<select aria-label="Assign a mechanic" value="" onChange=${(/** @type {any} */ event) => send("assign", event.target.value)}>
      <option value="">Assign …</option>
      ${others.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>`}
    ${message && html`<small class="error" role="alert">${message}</small>`}
  </div>`;
}

/** What an entry of the history is about; jobs and lines by their names. @param {string} what @param {Ticket} ticket */
function subject(what, { jobs }) {
  const [, kind, id, field] = /^(job|labor|fee) (\d+) ?(.*)$/.exec(what) ?? [];
  if (!kind) return words(what.replace(/_at$/, ""));
  const rows = kind === "job" ? jobs : jobs.flatMap((job) => /** @type {any[]} */ (kind === "fee" ? job.fees : job.labor));
  const found = rows.find((row) => String(row.id) === id);
  return words(`${kind} ${found?.name ?? found?.description ?? id} ${field}`.trim());
}

/** @param {string} what @param {string} value */
function told(what, value) {
  if (what === "status") return STATUS_NAMES[/** @type {import("./types").TicketStatus} */ (value)];
  return what.endsWith("_at") ? time(value) : value.replaceAll("_", " ");
}

/** What happened to the ticket, the newest first. @param {{ state: State }} props */
export function History({ state }) {
  const [rows, setRows] = useState(15);
  const { data, refresh } = usePolled(`${state.path}/history`, { sort: "-id", per_page: rows });
  useEffect(() => void refresh(), [state.ticket.version, refresh]);
  /** @type {TicketEvent[]} */
  const events = data ?? [];
  return html`<section class="panel history" aria-label="History">
    <h2>History</h2>
    <ol>
      ${events.filter(({ what, before }) => before !== null || !/^job \d+ name$/.test(what)).map(
        ({ id, what, before, after, reason, mechanic, customer, created_at }) => html`<li key=${id}>
          <small><bdi>${mechanic?.name ?? customer?.name ?? "The system"}</bdi> · ${time(created_at)}</small>
          <bdi>${subject(what, state.ticket)}</bdi>:
          ${before !== null && html` <del dir="auto">${told(what, before)}</del>`}
          ${after !== null && html` <ins dir="auto">${told(what, after)}</ins>`}
          ${reason && html` <q dir="auto">${reason}</q>`}
        </li>`,
      )}
    </ol>
    ${events.length === rows && rows < 100 && html`<button type="button" class="plain" onClick=${() => setRows(100)}>Show more</button>`}
  </section>`;
}
