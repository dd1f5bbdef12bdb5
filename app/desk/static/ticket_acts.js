/** The dialogs of a ticket: moves with a reason, approval, approval link, invoice, payment. */

import { isBilled, money, time, words } from "./format.js";
import { useDryRun, useForm } from "./hooks.js";
import { api, explain } from "./session.js";
import { Choices, Dialog, Field, notify, Select, Text } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./ticket.js").State} State */
/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {{ state: State, onClose: () => void }} ActProps */

/** What the moves are called, by where from and where to. @type {Record<string, string>} */
const MOVES = {
  "open in_progress": "Start work",
  "in_progress open": "Stop work",
  "in_progress completed": "Complete",
  "completed in_progress": "Rework",
  "declined estimate": "Offer again",
  "invoiced completed": "Reopen",
  "paid completed": "Reopen",
};
/**
 * What may be said of a job: the decision, and what it is called; the first until another is chosen.
 *
 * @type {Record<string, [string, string][]>}
 */
const ANSWERS = {
  estimate: [["approved", "Approve"], ["declined", "Decline"]],
  proposed: [["approved", "Approve"], ["declined", "Decline"], ["", "Not yet"]],
  approved: [["", "Keep"], ["declined", "Decline"]],
};

/** @param {Ticket} ticket @param {string} target */
export const nameOf = ({ status }, target) => MOVES[`${status} ${target}`] ?? words(target);

/** @param {Ticket} ticket */
export const proposedOn = ({ jobs }) => jobs.filter((job) => job.status === "proposed");

/** Jobs, and what they cost. @param {import("./types").Job[]} jobs */
const list = (jobs) => html`<ul class="list">
  ${jobs.map(({ id, name, totals }) => html`<li key=${id}><bdi>${name}</bdi> <span class="number">${money(totals.total)}</span></li>`)}
</ul>`;

/** Move the ticket, or set what it waits for. @param {State} state @param {any} body @param {import("./ticket_state.js").How} how */
export const move = (state, body, how) =>
  state.change((etag) => api.put(`${state.path}/status`, body, { etag }), {
    about: ({ status, jobs }) => [status, jobs.map((job) => job.status)],
    ...how,
  });

/**
 * A form of a POST that closes once it is done.
 *
 * @template {Record<string, any>} Values
 * @param {ActProps} props
 * @param {string} what
 * @param {Values} initial
 * @param {(values: Values, key: string) => Promise<import("./api.js").Answer>} send
 * @param {(data: any) => void} tell
 */
const useActForm = ({ state, onClose }, what, initial, send, tell) =>
  useForm(initial, async (values, key) => {
    const answer = await state.change(() => send(values, key), { what });
    if (!answer) return;
    tell(answer.data);
    onClose();
  });

/** A move that needs a reason, or that loses something. @param {ActProps & { target: string }} props */
export function Move({ state, target, onClose }) {
  const what = nameOf(state.ticket, target);
  const form = useForm({ reason: "" }, async ({ reason }) => {
    if (await move(state, { status: target, ...(reason && { reason }) }, { what })) onClose();
  });
  const open = target === "completed" ? proposedOn(state.ticket) : [];
  return html`<${Dialog} title=${`${what} ticket ${state.ticket.id}`} onClose=${onClose} form=${form} submit=${what}>
    ${target === "void" && html`<p>A void ticket stays on record and is never worked on again. Its parts go back to the shelf.</p>`}
    ${what === "Reopen" && html`<p>This voids the invoice; the next one gets a new number.</p>`}
    ${open.length > 0 &&
    html`<p>The customer has not answered on these jobs. They are declined as unanswered:</p>
      ${list(open)}`}
    <${Text} form=${form} name="reason" label=${what === "Reopen" ? "Reason" : "Reason (optional)"} autofocus maxlength="500" />
  <//>`;
}

/** Record what the customer decided, job by job, on the total that is shown. @param {ActProps} props */
export function Approve(props) {
  const { ticket, path } = props.state;
  const isBare = !ticket.jobs.length && ticket.status === "estimate"; // it is decided as a whole
  const whole = [{ id: 0, name: "The estimate", status: "estimate", totals: ticket.totals }];
  const asked = isBare ? whole : ticket.jobs.filter(({ status }) => status !== "declined");
  const choices = /** @type {Record<string, string>} */ ({});
  const initial = { choices, method: "in_person", said_by: ticket.customer.name, contact: "", amount: "" };
  /** @param {typeof initial} values @param {string} key @returns {Promise<import("./api.js").Answer>} */
  const record = ({ method, said_by, contact, amount }, key) => {
    const body = { ...decision, method, said_by: said_by || null, contact: contact || null, amount: amount || total };
    return api.post(`${path}/authorizations`, body, { key });
  };
  const form = useActForm(props, "Record the decision", initial, record, () => notify("The decision is recorded."));
  const decided = asked.map(({ id, status }) => ({ id, decision: form.values.choices[id] ?? ANSWERS[status]?.[0]?.[0] }));
  const decision = isBare ? { decision: decided[0]?.decision } : { jobs: decided.filter((each) => each.decision) };
  const preview = useDryRun(`${path}/authorizations`, JSON.stringify(decision), ticket.version);
  const total = preview.isBusy ? "" : preview.data?.total; // of this decision on this version
  /** Nothing is recorded that was not shown. @param {Event} event */
  const submit = (event) => (total ? form.submit(event) : event.preventDefault());
  const label = `Record: ${total ? money(total) : "…"}`;
  return html`<${Dialog} title="What the customer decided" onClose=${props.onClose} form=${{ ...form, submit }} submit=${label} wide>
    ${asked.map(({ id, name, status, totals }, index) => html`<${Choices} key=${id}
      legend=${html`<bdi>${name}</bdi> <span class="quiet">${words(status)}</span> <span>${money(totals.total)}</span>`}
      name=${`job-${id}`} of=${ANSWERS[status]} chosen=${decided[index]?.decision}
      choose=${(/** @type {string} */ value) => form.set({ choices: { ...form.values.choices, [id]: value } })} />`)}
    <p role="status">
      Total after this: <strong>${money(total || null)}</strong> <span class="problem">${preview.error && explain(preview.error)}</span>
    </p>
    <div class="row">
      <${Select} form=${form} name="method" label="How" of=${["in_person", "phone", "text", "email"]} />
      <${Text} form=${form} name="said_by" label="Who said it" />
      <${Text} form=${form} name="contact" label="Number or address" />
      <${Text} form=${form} name="amount" label="Up to" hint="The total unless given" inputmode="decimal" placeholder=${total} />
    </div>
  <//>`;
}

/** Make a link with which the customer decides. @param {ActProps} props */
export function Link(props) {
  const { ticket, path } = props.state;
  const [link, setLink] = useState(/** @type {{ url: string, expires_at: string } | null} */ (null));
  const send = (/** @type {object} */ _, /** @type {string} */ key) => api.post(`${path}/approval-link`, {}, { key });
  const form = useActForm({ ...props, onClose: () => undefined }, "Send the link", {}, send, setLink);
  const { email } = ticket.customer;
  const byMail = email && html`It is mailed to <bdi>${email}</bdi> where the shop sends mail.`;
  return html`<${Dialog} title="Approval link" onClose=${props.onClose} form=${link ? undefined : form} submit="Send link">
    ${link
      ? html`<${MadeLink} link=${link} byMail=${byMail} />`
      : html`<p>The customer sees these jobs, and approves or declines each. A link from before ends.</p>
          ${list(proposedOn(ticket))}
          <p class="quiet">${byMail || "The customer has no e-mail: give them the link yourself."}</p>`}
  <//>`;
}

/** @param {{ link: { url: string, expires_at: string }, byMail: any }} props */
function MadeLink({ link, byMail }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const select = () => (input.current?.focus(), input.current?.select());
  useEffect(() => select(), []);
  /** Without `navigator.clipboard`, which is not there on plain http, as inside a shop's network. */
  const copy = () => {
    select();
    if (document.execCommand("copy")) notify("The link is copied.");
    else notify("The browser does not let the page copy: press Ctrl+C.", { isProblem: true });
  };
  return html`
    <${Field} label="For the customer; it is shown this once"><input readonly ref=${input} value=${link.url} /><//>
    <p class="quiet">Good until ${time(link.expires_at)}. ${byMail}</p>
    <p class="actions"><button type="button" class="primary" onClick=${copy}>Copy</button></p>`;
}

/** @param {ActProps} props */
export function Invoice(props) {
  const { ticket, path } = props.state;
  const send = (/** @type {object} */ _, /** @type {string} */ key) => api.post(`${path}/invoice`, {}, { key });
  const form = useActForm(props, "Invoice", {}, send, ({ number }) => notify(`Invoice ${number} is issued.`));
  const submit = `Invoice ${money(ticket.totals.total)}`;
  return html`<${Dialog} title=${`Invoice ticket ${ticket.id}`} onClose=${props.onClose} form=${form} submit=${submit}>
    <p>It freezes lines and figures under the next number.</p>
  <//>`;
}

/** Take a payment, or give a refund. @param {ActProps} props */
export function Pay(props) {
  const { ticket, path } = props.state;
  const { balance, paid } = ticket.totals;
  const kinds = [...(Number(balance) > 0 && isBilled(ticket) ? ["payment"] : []), ...(Number(paid) > 0 ? ["refund"] : [])];
  /** @param {string} [kind] What is due; back goes what was paid too much, unless somebody says how much. */
  const amountOf = (kind) => (kind === "payment" ? balance : balance.startsWith("-") ? balance.slice(1) : "");
  const initial = { kind: kinds[0] ?? "refund", amount: amountOf(kinds[0]), method: "card", reference: "" };
  /** @param {typeof initial} values @param {string} key */
  const record = (values, key) => api.post(`${path}/payments`, { ...values, reference: values.reference || null }, { key });
  const form = useActForm(props, "Record the payment", initial, record, ({ kind, amount }) =>
    notify(`${words(kind)} of ${money(amount)} is recorded.`),
  );
  /** @param {any} event */
  const pick = ({ target: { value } }) => form.set({ kind: value, amount: amountOf(value) });
  const submit = `Record ${form.values.kind}`;
  return html`<${Dialog} title=${`Balance ${money(balance)}`} onClose=${props.onClose} form=${form} submit=${submit}>
    <div class="row">
      <${Select} form=${form} name="kind" label="Kind" of=${kinds} onInput=${pick} />
      <${Text} form=${form} name="amount" label="Amount" inputmode="decimal" autofocus />
      <${Select} form=${form} name="method" label="Method" of=${["card", "cash", "transfer"]} />
      <${Text} form=${form} name="reference" label="Reference" />
    </div>
  <//>`;
}
