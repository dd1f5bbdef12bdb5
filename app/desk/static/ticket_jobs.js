/** The left side of a ticket: its jobs in order, with their lines, and what may be done with them. */

import { day, money } from "./format.js";
import { useForm, useKeys, usePolled } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, explain, isDesk, useSession } from "./session.js";
import { Backorder, Check, focusIn, Inline, InlineForm, LINE_FORMS, Lines, NAMES, Text } from "./ticket_lines.js";
import { Badge, Dialog, notify } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Job} Job */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./ticket_lines.js").State} State */
/** @typedef {import("./ticket_lines.js").Kind} Kind */
/** @typedef {{ key: string, group: string, name: string, detail: string, source: object }} Offer Work that is known: declined before, or a canned job. */

/**
 * @typedef {object} Screen What the jobs of a ticket share.
 * @property {State} state
 * @property {import("./ticket_lines.js").Staff} staff
 * @property {ReturnType<typeof useForms>} forms
 * @property {boolean} mayWrite Jobs and lines.
 * @property {boolean} mayPrice Prices, fees, and whether a job is offered.
 * @property {boolean} wasQuote
 * @property {(change: Promise<boolean>, focus: string) => Promise<void>} attempt Tell why a change was refused; focus what stays.
 */

const CHANGEABLE = ["estimate", "open", "in_progress"];

/** @param {import("./types").Me} me @param {Ticket} ticket Whether a ticket is somebody's own. */
const isOwn = (me, ticket) => [ticket.opened_by, ...ticket.mechanics].some(({ id }) => id === me.id);

/** @param {Ticket} ticket */
const isQuote = (ticket) => ticket.status === "estimate" || ticket.authorized_amount !== null;

/** @param {string} text @param {Ticket} ticket @param {AbortSignal} signal @returns {Promise<Offer[]>} */
async function findOffers(text, ticket, signal) {
  const of = `/customers/${ticket.customer_id}/vehicles/${ticket.vehicle_id}/deferred`;
  const [deferred, canned] = await Promise.all([
    ticket.vehicle_id === null ? { data: [] } : api.get(of, { per_page: 100 }, { signal }),
    api.get("/canned-jobs", { q: text, per_page: 20 }, { signal }),
  ]);
  const declined = deferred.data.filter(
    (/** @type {import("./types").DeferredJob} */ { name, ticket_id }) =>
      ticket_id !== ticket.id && name.toLowerCase().includes(text.toLowerCase()),
  );
  return [
    ...declined.map((/** @type {import("./types").DeferredJob} */ { job_id, name, declined_at, total_now }) => ({
      ...{ key: `deferred ${job_id}`, group: "Declined before", name, source: { revive_job_id: job_id } },
      detail: `${day(declined_at)}, today ${money(total_now)}`,
    })),
    ...canned.data.map((/** @type {import("./types").CannedJob} */ { id, name, parts, labor, fees }) => ({
      ...{ key: `canned ${id}`, group: "Canned jobs", name, source: { canned_job_id: id } },
      detail: `${parts.length + labor.length + fees.length} lines`,
    })),
  ];
}

/** @param {Offer} offer */
const showOffer = ({ name, detail }) => html`<span dir="auto">${name}</span> <small>${detail}</small>`;

/**
 * Writes a job: by its name, from a canned one, or what the customer declined before. The bay proposes findings by it.
 *
 * @param {{ state: State, onDone: (job: Job) => void, onClose: () => void }} props
 */
export function NewJobForm({ state, onDone, onClose }) {
  const { me } = useSession();
  const [offer, setOffer] = useState(/** @type {Offer | null} */ (null));
  const form = useForm({ name: "", notes: "", isProposed: false, backorder: false }, async (values, key) => {
    const body = {
      ...{ name: values.name, notes: values.notes || undefined, backorder: values.backorder || undefined },
      ...{ status: values.isProposed ? "proposed" : undefined, ...offer?.source },
    };
    let written = /** @type {Job | null} */ (null);
    const send = async () => {
      const answer = await api.post(`/service-tickets/${state.ticket.id}/jobs`, body, { key });
      written = answer.data;
      return answer;
    };
    const about = (/** @type {Ticket} */ { status }) => status;
    if ((await state.change(send, { what: `Write the job ${values.name}`, about })) && written) onDone(written);
  });
  const type = (/** @type {string} */ name) => (setOffer(null), form.set({ name }));
  const take = (/** @type {Offer} */ chosen) => (setOffer(chosen), form.set({ name: chosen.name }));
  return html`<${InlineForm} form=${form} submit=${isDesk(me) ? "Write job" : "Propose job"} onClose=${onClose}>
    <${Picker} label="Job" text=${form.values.name} onText=${type} onPick=${take} show=${showOffer} isFree shortest=${0}
      search=${(/** @type {string} */ text, /** @type {AbortSignal} */ signal) => findOffers(text, state.ticket, signal)}
      keyOf=${(/** @type {Offer} */ each) => each.key} groupOf=${(/** @type {Offer} */ each) => each.group}
      error=${form.errorOf("name")} input=${{ name: "name" }}
      hint=${offer ? `${offer.group}: ${offer.detail}` : "A name, or one of the list."} />
    <${Text} form=${form} name="notes" label="Notes for the customer" />
    ${isDesk(me) && !isQuote(state.ticket) && html`<${Check} form=${form} name="isProposed">Ask the customer first<//>`}
    <${Backorder} form=${form} />
  <//>`;
}

/** @param {{ state: State, job: Job, onClose: () => void }} props */
function JobForm({ state, job, onClose }) {
  const seen = useRef(state);
  const form = useForm({ name: job.name, notes: job.notes ?? "" }, async ({ name, notes }) => {
    const path = `/service-tickets/${state.ticket.id}/jobs/${job.id}`;
    const about = (/** @type {Ticket} */ { jobs }) => jobs.filter(({ id }) => id === job.id).map((each) => [each.name, each.notes]);
    const send = (/** @type {string | null} */ etag) => api.put(path, { name, notes: notes || null }, { etag });
    if (await state.change(send, { what: `Change the job ${job.name}`, about, seen: seen.current })) onClose();
  });
  return html`<${InlineForm} form=${form} submit="Save job" onClose=${onClose}>
    <${Text} form=${form} name="name" label="Job" />
    <${Text} form=${form} name="notes" label="Notes for the customer" />
  <//>`;
}

/** Which forms are open, each kept until it is sent or closed; and what is focused after the next change of the page. */
function useForms() {
  const [open, setOpen] = useState(/** @type {string[]} */ ([]));
  const wanted = useRef("");
  useEffect(() => {
    const element = wanted.current && document.getElementById(wanted.current);
    if (!element) return;
    wanted.current = "";
    element.focus();
  });
  const focus = (/** @type {string} */ id) => (wanted.current = id);
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
  const shown = columns.filter((column) => Number(totals[column]) !== 0);
  return shown.map((column) => html`<span key=${column}>${column} ${column === "discount" ? "−" : ""}${money(totals[column])}</span> `);
}

/** The forms that add lines to a job, or to the ticket while it has none. @param {{ screen: Screen, jobId: number | null, heading: string }} props */
function Adding({ screen: { forms, state, staff }, jobId, heading }) {
  return /** @type {Kind[]} */ (Object.keys(NAMES)).map((kind) => {
    const id = `${heading}-${kind}`;
    const onClose = () => forms.close(id, heading);
    return forms.isOpen(id) && html`<${Inline} key=${id} id=${id} label=${`Add ${NAMES[kind]}`} onClose=${onClose}>
      <${LINE_FORMS[kind]} ...${{ id, state, staff, jobId, onClose }} />
    <//>`;
  });
}

/** @param {{ job: Job, screen: Screen, onDelete: () => void }} props */
function JobPanel({ job, screen, onDelete }) {
  const { state, forms, attempt, mayWrite, mayPrice, wasQuote } = screen;
  const id = `job-${job.id}`;
  const close = () => forms.close(`${id}-edit`, id);
  const path = `/service-tickets/${state.ticket.id}/jobs/${job.id}`;
  const about = (/** @type {Ticket} */ { jobs }) => jobs.filter((each) => each.id === job.id);
  const move = (/** @type {string} */ status, /** @type {string} */ what) => () =>
    attempt(state.change((etag) => api.put(path, { status }, { etag }), { what: `${what}: ${job.name}`, about }), id);
  const button = (/** @type {string} */ label, /** @type {() => void} */ act) => html`<button type="button" onClick=${act}>${label}</button>`;
  const mayChange = mayWrite && job.status !== "declined";
  const mayDelete = mayChange && (job.status === "proposed" || (mayPrice && !wasQuote));
  const isBare = !job.parts.length && !job.labor.length && !job.fees.length;
  return html`<section class=${`panel job ${job.status}`} data-job=${job.id} aria-labelledby=${id}>
    <header>
      <h3 id=${id} tabindex="-1" dir="auto">${job.name}</h3>
      <${Badge} status=${job.status}>${statusOf(job)}<//>
      ${job.revived_from && html`<small>Offered again</small>`}
      <strong class="number">${money(job.totals.total)}</strong>
    </header>
    ${job.notes && html`<p class="quiet" dir="auto">${job.notes}</p>`}
    ${forms.isOpen(`${id}-edit`) && html`<${Inline} id=${`${id}-edit`} label=${`Edit ${job.name}`} onClose=${close}>
      <${JobForm} state=${state} job=${job} onClose=${close} />
    <//>`}
    ${isBare ? html`<p class="quiet">No lines yet.</p>` : html`<${Lines} job=${job} screen=${{ ...screen, mayWrite: mayChange }} />`}
    <${Adding} screen=${screen} jobId=${job.id} heading=${id} />
    <footer>
      <small class="sum">${sum(job)}</small>
      <div class="actions">
        ${mayChange && button("Part", () => forms.open(`${id}-parts`))}
        ${mayChange && button("Labor", () => forms.open(`${id}-labor`))}
        ${mayChange && mayPrice && button("Fee", () => forms.open(`${id}-fees`))}
        ${mayChange && button("Edit", () => forms.open(`${id}-edit`))}
        ${mayPrice && mayWrite && job.status === "proposed" && button("No answer", move("declined", "Decline without an answer"))}
        ${mayPrice && mayWrite && job.status === "declined" && button("Offer again", move("proposed", "Offer again"))}
        ${mayDelete && button("Delete", onDelete)}
      </div>
    </footer>
  </section>`;
}

/** Asks before a job goes with its lines. @param {{ job: Job, screen: Screen, onClose: () => void }} props */
function DeleteDialog({ job, screen: { state, attempt }, onClose }) {
  const about = (/** @type {Ticket} */ { jobs }) => jobs.filter(({ id }) => id === job.id);
  const remove = () => {
    onClose();
    const path = `/service-tickets/${state.ticket.id}/jobs/${job.id}`;
    return attempt(state.change((etag) => api.delete(path, { etag }), { what: `Delete the job ${job.name}`, about }), "jobs");
  };
  return html`<${Dialog} title="Delete the job?" onClose=${onClose}>
    <p><bdi>${job.name}</bdi> goes with all its lines.</p>
    <div class="actions">
      <button type="button" onClick=${onClose}>Keep</button>
      <button type="button" class="danger" onClick=${remove}>Delete</button>
    </div>
  <//>`;
}

/** The jobs of a ticket. @param {{ state: import("./ticket_state.js").TicketState }} props */
export function Jobs({ state }) {
  return state.ticket && html`<${Worksheet} state=${state} ticket=${state.ticket} />`;
}

/** @param {{ state: State, ticket: Ticket }} props */
function Worksheet({ state, ticket }) {
  const { me } = useSession();
  const { data: staff } = usePolled("/mechanics", { per_page: 100 }, { seconds: 600 });
  const forms = useForms();
  const [doomed, setDoomed] = useState(/** @type {Job | null} */ (null));
  const mayWrite = CHANGEABLE.includes(ticket.status) && (isDesk(me) || isOwn(me, ticket));
  const attempt = async (/** @type {Promise<boolean>} */ change, /** @type {string} */ focus) => {
    try {
      if (await change) forms.focus(focus);
    } catch (error) {
      notify(explain(error), { isProblem: true });
    }
  };
  /** @type {Screen} */
  const screen = { state, staff: staff ?? [], forms, attempt, mayWrite, mayPrice: isDesk(me), wasQuote: isQuote(ticket) };

  /** The job where the focus is, else the last that is not declined. */
  const current = () => {
    const focused = Number(document.activeElement?.closest("[data-job]")?.getAttribute("data-job"));
    const open = ticket.jobs.filter(({ status }) => status !== "declined");
    return open.find(({ id }) => id === focused) ?? open.at(-1);
  };
  const add = (/** @type {Kind} */ kind) => () => forms.open(`${current() ? `job-${current()?.id}` : "jobs"}-${kind}`);
  /** @type {Record<string, import("./hooks.js").Binding>} */
  const keys = { j: ["New job", () => forms.open("jobs-new")], p: ["Add a part", add("parts")], l: ["Add labor", add("labor")] };
  useKeys(mayWrite ? keys : {});
  const close = () => forms.close("jobs-new", "jobs");
  const written = (/** @type {Job} */ job) => (notify(`${job.name}: written.`), forms.close("jobs-new", `job-${job.id}`));
  return html`<section class="jobs" aria-labelledby="jobs">
    <header>
      <h2 id="jobs" tabindex="-1">Jobs</h2>
      ${mayWrite && html`<button type="button" onClick=${keys.j?.[1]}>New job <kbd>j</kbd></button>`}
    </header>
    ${!ticket.jobs.length && html`<p class="quiet">No work is written yet.</p>`}
    ${ticket.jobs.map((job) => html`<${JobPanel} key=${job.id} job=${job} screen=${screen} onDelete=${() => setDoomed(job)} />`)}
    <${Adding} screen=${screen} jobId=${null} heading="jobs" />
    ${forms.isOpen("jobs-new") && html`<${Inline} id="jobs-new" label="New job" onClose=${close}>
      <${NewJobForm} state=${state} onDone=${written} onClose=${close} />
    <//>`}
    ${doomed && html`<${DeleteDialog} job=${doomed} screen=${screen} onClose=${() => setDoomed(null)} />`}
  </section>`;
}
