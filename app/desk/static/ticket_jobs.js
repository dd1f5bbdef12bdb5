/** The left side of a ticket: its jobs in order, with their lines, and what may be done with them. */

import { day, isInWork, money, words } from "./format.js";
import { useAct, useForm, useKeys, useStaff } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, isDesk, isTheirs, useSession } from "./session.js";
import { Backorder, focusIn, InlineForm, LINE_FORMS, Lines } from "./ticket_lines.js";
import { Badge, Check, Text } from "./ui.js";
import { html, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Job} Job */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").DeferredJob} Deferred */
/** @typedef {import("./types").CannedJob} Canned */
/** @typedef {import("./ticket_lines.js").State} State */
/** @typedef {import("./ticket_lines.js").Kind} Kind */
/** @typedef {(etag: string | null) => Promise<import("./api.js").Answer>} Send */

/** @typedef {{ group: string, title: string, detail: string, source: object }} Offer Work declined before, or a canned job. */

/**
 * @typedef {object} Screen What the jobs of a ticket share.
 * @property {State} state
 * @property {import("./ticket_lines.js").Staff} staff
 * @property {ReturnType<typeof useForms>} forms
 * @property {boolean} mayWrite Jobs and lines.
 * @property {boolean} mayPrice Prices, fees, and whether a job is offered.
 *
 * @typedef {object} Panel What the lines of a job share.
 * @property {Screen} screen
 * @property {boolean} mayChange
 * @property {Attempt} attempt
 */

/** @typedef {{ focus?: string, about?: (ticket: Ticket) => any }} AttemptHow */
/** @typedef {(what: string, send: Send, how?: AttemptHow) => unknown} Attempt Tells where it was refused why. */

/** @type {[Kind, string][]} */
const KINDS = [["parts", "part"], ["labor", "labor"], ["fees", "fee"]];

/** @param {Ticket} ticket */
const wasQuote = ({ status, authorized_amount: amount }) => status === "estimate" || amount !== null;

/** @param {Ticket} ticket @param {number} id */
const jobOf = ({ jobs }, id) => jobs.find((job) => job.id === id);

/** @param {string} text @param {Ticket} ticket @param {AbortSignal} signal @returns {Promise<Offer[]>} */
async function findOffers(text, { id: own, customer_id: customer, vehicle_id: car }, signal) {
  const ofCar = car !== null && api.get(`/customers/${customer}/vehicles/${car}/deferred`, { per_page: 100 }, { signal });
  const [deferred, canned] = await Promise.all([ofCar, api.get("/canned-jobs", { q: text, per_page: 20 }, { signal })]);
  /** @type {Deferred[]} */
  const declined = deferred ? deferred.data : [];
  const isMeant = (/** @type {Deferred} */ { name, ticket_id }) => ticket_id !== own && name.toLowerCase().includes(text.toLowerCase());
  return [
    ...declined.filter(isMeant).map(({ job_id, name, declined_at, total_now }) => ({
      ...{ group: "Declined before", title: name, source: { revive_job_id: job_id } },
      detail: `${day(declined_at)}, today ${money(total_now)}`,
    })),
    ...canned.data.map((/** @type {Canned} */ { id, name, parts, labor, fees }) => ({
      ...{ group: "Canned jobs", title: name, source: { canned_job_id: id } },
      detail: `${parts.length + labor.length + fees.length} lines`,
    })),
  ];
}

/**
 * Writes a job: by its name, from a canned one, or what the customer declined before; or changes its name and notes.
 * The bay proposes findings by it.
 *
 * @param {{ id: string, state: State, job?: Job, onDone: (job: Job) => void, onClose: () => void }} props
 */
function JobForm({ id, state, job, onDone, onClose }) {
  const { me } = useSession();
  const seen = useRef(state);
  const [offer, setOffer] = useState(/** @type {Offer | null} */ (null));
  const initial = { name: job?.name ?? "", notes: job?.notes ?? "", isProposed: false, backorder: false };
  const form = useForm(initial, async ({ name, notes, isProposed, backorder }, key) => {
    const path = `/service-tickets/${state.ticket.id}/jobs`;
    const status = isProposed ? "proposed" : undefined;
    const body = { name, notes: notes || undefined, status, backorder: backorder || undefined, ...offer?.source };
    /** @type {Send} */
    const send = (etag) => (job ? api.put(`${path}/${job.id}`, { name, notes: notes || null }, { etag }) : api.post(path, body, { key }));
    const about = (/** @type {Ticket} */ ticket) => (job ? jobOf(ticket, job.id) : ticket.status);
    const how = { what: `Write the job ${name}`, about, seen: job ? seen.current : undefined };
    const answer = await state.change(send, how);
    if (answer) onDone(answer.data);
  });
  const type = (/** @type {string} */ name) => (setOffer(null), form.set({ name }));
  const take = (/** @type {Offer} */ chosen) => (setOffer(chosen), form.set({ name: chosen.title }));
  const search = (/** @type {string} */ text, /** @type {AbortSignal} */ signal) => findOffers(text, state.ticket, signal);
  const submit = job ? "Save job" : isDesk(me) ? "Write job" : "Propose job";
  return html`<${InlineForm} ...${{ id, form, submit, onClose }} label=${job ? `Edit ${job.name}` : "New job"}>
    ${job
      ? html`<${Text} form=${form} name="name" label="Job" />`
      : html`<${Picker} label="Job" text=${form.values.name} onText=${type} onPick=${take} search=${search}
          isFree shortest=${0} error=${form.errorOf("name")} input=${{ name: "name" }}
          hint=${offer ? `${offer.group}: ${offer.detail}` : "A name, or one of the list."} />`}
    <${Text} form=${form} name="notes" label="Notes for the customer" />
    ${!job && isDesk(me) && !wasQuote(state.ticket) && html`<${Check} form=${form} name="isProposed">Ask the customer first<//>`}
    <${Backorder} form=${form} />
  <//>`;
}

/** Which forms are open: each until it is sent or closed. Then what stays there gets the focus. */
function useForms() {
  const [open, setOpen] = useState(/** @type {string[]} */ ([]));
  const [focused, setFocused] = useState({ id: "" });
  useLayoutEffect(() => document.getElementById(focused.id)?.focus(), [focused]);
  const focus = (/** @type {string} */ id) => setFocused({ id });
  return {
    focus,
    isOpen: (/** @type {string} */ id) => open.includes(id),
    open: (/** @type {string} */ id) => (open.includes(id) ? focusIn(id) : setOpen([...open, id])),
    /** @param {string} id @param {string} next What is focused then. */
    close: (id, next) => (focus(next), setOpen((before) => before.filter((each) => each !== id))),
  };
}

/** @param {Job} job */
const statusOf = ({ status, declined_reason: reason }) =>
  ({ proposed: "Proposed", approved: "Approved", declined: reason === "no_answer" ? "No answer" : "Declined by the customer" })[status];

/** @param {Job} job What the total is made of. */
function sum({ totals }) {
  const columns = /** @type {const} */ (["parts", "labor", "fees", "discount", "supplies", "tax"]);
  const shown = columns.filter((name) => Number(totals[name]) !== 0);
  return shown.map((name) => html`<span key=${name}>${words(name)} ${name === "discount" ? "−" : ""}${money(totals[name])}</span>`);
}

/**
 * The forms that add lines to a job, or to the ticket while it has none.
 *
 * @param {{ screen: Screen, jobId: number | null, heading: string }} props
 */
function Adding({ screen: { forms, state, staff }, jobId, heading }) {
  return KINDS.map(([kind, name]) => {
    const id = `${heading}-${kind}`;
    const props = { id, label: `Add a ${name}`, state, staff, jobId, onClose: () => forms.close(id, heading) };
    return forms.isOpen(id) && html`<${LINE_FORMS[kind]} key=${id} ...${props} />`;
  });
}

/** @param {{ job: Job, screen: Screen }} props */
function JobPanel({ job, screen }) {
  const { state, forms, mayWrite, mayPrice } = screen;
  const { act, message } = useAct();
  const [isSure, setSure] = useState(false);
  const id = `job-${job.id}`;
  const close = () => forms.close(`${id}-edit`, id);
  const path = `/service-tickets/${state.ticket.id}/jobs/${job.id}`;
  const aboutJob = (/** @type {Ticket} */ ticket) => jobOf(ticket, job.id);
  /** @type {Attempt} */
  const attempt = (what, send, { focus = id, about = aboutJob } = {}) =>
    act(async () => (await state.change(send, { what, about })) && forms.focus(focus));
  const move = (/** @type {string} */ status, /** @type {string} */ what) =>
    attempt(`${what}: ${job.name}`, (etag) => api.put(path, { status }, { etag }));
  const remove = () =>
    isSure ? attempt(`Delete ${job.name}`, (etag) => api.delete(path, { etag }), { focus: "jobs" }) : setSure(true);
  const mayChange = mayWrite && job.status !== "declined";
  const mayDelete = mayChange && (job.status === "proposed" || (mayPrice && !wasQuote(state.ticket)));
  /** @type {[isOffered: boolean, label: string, press: () => unknown][]} */
  const acts = [
    [mayChange, "+ Part", () => forms.open(`${id}-parts`)],
    [mayChange, "+ Labor", () => forms.open(`${id}-labor`)],
    [mayChange && mayPrice, "+ Fee", () => forms.open(`${id}-fees`)],
    [mayChange, "Edit", () => forms.open(`${id}-edit`)],
    [mayWrite && mayPrice && job.status === "proposed", "No answer", () => move("declined", "Decline")],
    [mayWrite && mayPrice && job.status === "declined", "Offer again", () => move("proposed", "Offer again")],
    [mayDelete, isSure ? "Delete with its lines" : "Delete", remove],
  ];
  return html`<section class=${`panel job ${job.status}`} data-job=${job.id} aria-labelledby=${id}>
    <header class="flow">
      <h3 id=${id} tabindex="-1" dir="auto">${job.name}</h3>
      <${Badge} status=${job.status}>${statusOf(job)}<//>
      ${job.revived_from && html`<small>Offered again</small>`}
      <strong class="number end">${money(job.totals.total)}</strong>
    </header>
    ${job.notes && html`<p class="quiet" dir="auto">${job.notes}</p>`}
    ${forms.isOpen(`${id}-edit`) && html`<${JobForm} id=${`${id}-edit`} ...${{ state, job, onDone: close, onClose: close }} />`}
    <${Lines} job=${job} panel=${{ screen, mayChange, attempt }} />
    <${Adding} screen=${screen} jobId=${job.id} heading=${id} />
    ${message && html`<p class="problem" role="alert">${message}</p>`}
    <footer class="flow">
      <small class="flow">${sum(job)}</small>
      <div class="actions" onFocusOut=${() => setSure(false)}>
        ${acts.map(
          ([isOffered, label, press], key) =>
            isOffered && html`<button type="button" class="plain" key=${key} onClick=${press}>${label}</button>`,
        )}
      </div>
    </footer>
  </section>`;
}

/** The jobs of a ticket. @param {{ state: State }} props */
export function Jobs({ state }) {
  const { ticket } = state;
  const { me } = useSession();
  const staff = useStaff();
  const forms = useForms();
  const mayWrite = isInWork(ticket) && isTheirs(me, ticket);
  /** @type {Screen} */
  const screen = { state, staff, forms, mayWrite, mayPrice: isDesk(me) };

  /** Add a line to the job where the focus is, else to the last that is not declined. @param {Kind} kind */
  const add = (kind) => {
    const focused = document.activeElement?.closest("[data-job]")?.getAttribute("data-job");
    const open = ticket.jobs.filter(({ status }) => status !== "declined").map(({ id }) => String(id));
    const job = open.find((id) => id === focused) ?? open.at(-1);
    forms.open(`${job ? `job-${job}` : "jobs"}-${kind}`);
  };
  const begin = () => forms.open("jobs-new");
  useKeys(mayWrite ? { j: ["New job", begin], p: ["Add a part", () => add("parts")], l: ["Add labor", () => add("labor")] } : {});
  return html`<div class="jobs">
    <header class="flow">
      <h2 id="jobs" tabindex="-1">Jobs</h2>
      ${mayWrite && html`<button type="button" class="end" onClick=${begin}>New job <kbd>j</kbd></button>`}
    </header>
    ${!ticket.jobs.length && html`<p class="quiet">No work is written yet.</p>`}
    ${ticket.jobs.map((job) => html`<${JobPanel} key=${job.id} job=${job} screen=${screen} />`)}
    <${Adding} screen=${screen} jobId=${null} heading="jobs" />
    ${forms.isOpen("jobs-new") && html`<${JobForm} id="jobs-new" state=${state}
      onDone=${(/** @type {Job} */ { id }) => forms.close("jobs-new", `job-${id}`)} onClose=${() => forms.close("jobs-new", "jobs")} />`}
  </div>`;
}
