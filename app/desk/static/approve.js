/**
 * The page behind an approval link: the work that a shop proposes, the customer's answer to each job, and that answer as
 * it was recorded.
 */

import { newKey, Problem } from "./api.js";
import { car, day, formatFor, money, words } from "./format.js";
import { useDryRun, useForm, usePolled, useReachable } from "./hooks.js";
import { api, explain } from "./session.js";
import { Badge, Choices, Field } from "./ui.js";
import { html, render, useCallback, useEffect, useMemo, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Approval} Approval */
/** @typedef {import("./types").ApprovalJob} Job */
/** @typedef {Pick<Job, "id" | "name" | "status" | "totals" | "parts" | "labor" | "fees">} ShownJob */
/** @typedef {Pick<Approval, "vehicle"> & { answer: import("./types").Answered }} Recorded */
/** @typedef {"approved" | "declined"} Decision */

/** The token is in the page's address, and is kept nowhere else. */
const PATH = `/approvals/${location.pathname.split("/")[2]}`;
const CHANGED = "The shop changed something meanwhile. Please look again, then confirm.";
/** @type {Record<string, string>} */
const SENTENCES = {
  ...{ "approval-changed": CHANGED, "total-changed": CHANGED },
  "out-of-stock": "A part for this work is not there any more. Please phone the shop, or decline that job.",
};
/** @type {[Decision, string][]} */
const DECISIONS = [["approved", "Approve"], ["declined", "Decline"]];
/** What ends the page: its title, and what to do. @type {Record<string, [string, string]>} */
const ENDINGS = {
  "not-found": ["This link does not work", "It has ended, or was not copied whole. Please phone the shop for a new one."],
  "approval-answered": ["This link was answered", "To change the answer, or for a copy of it, please phone the shop."],
};

/** Say in plain words what went wrong. @param {unknown} error */
function say(error) {
  if (!(error instanceof Problem)) return explain(error);
  if (error.status === 429) return `Too many tries. Please try again in ${Math.ceil(error.retryAfter / 60) || 1} min.`;
  if (error.status >= 500) return "The shop's server has a fault. Nothing was recorded; please try again in a moment.";
  return SENTENCES[error.slug] ?? "The shop cannot take this answer here. Please phone the shop.";
}

/** What a price is made of, folded. @param {{ job: ShownJob }} props */
function Lines({ job: { parts, labor, fees, totals } }) {
  const units = (/** @type {Job["parts"][0]} */ line) => (line.unit === "each" ? line.quantity : `${line.quantity} ${line.unit}`);
  const shares = [["Discount", "", `-${totals.discount}`], ["Supplies", "", totals.supplies], ["Tax", "", totals.tax]];
  const rows = [
    ...labor.map((line) => [line.description, `${line.hours} h × ${money(line.rate)}`, line.line_total]),
    ...parts.map((line) => [line.name, `${units(line)} × ${money(line.unit_price)}`, line.line_total]),
    ...fees.map((line) => [line.description, "", line.amount]),
    ...shares.filter(([, , amount]) => Number(amount)),
  ];
  return html`<details>
    <summary>What is in the price</summary>
    <table>
      ${rows.map(
        ([name, detail, amount]) =>
          html`<tr><td><span dir="auto">${name}</span> <small>${detail}</small></td><td class="number">${money(amount)}</td></tr>`,
      )}
    </table>
  </details>`;
}

/**
 * A job to decide on.
 *
 * @param {{ job: Job, decision?: Decision, mark?: string, onChoose: (decision: Decision) => void }} props
 */
function Proposed({ job, decision, mark, onChoose }) {
  const legend = html`<h2><span dir="auto">${job.name}</span> ${mark && html`<${Badge} status="proposed">${mark}<//>`}</h2>
    <strong class="number">${money(job.totals.total)}</strong>`;
  return html`<${Choices} class="panel" legend=${legend} of=${DECISIONS} chosen=${decision ?? ""} choose=${onChoose}
    name=${`job-${job.id}`} required>
    ${job.notes && html`<p dir="auto">${job.notes}</p>`}
    <${Lines} job=${job} />
  <//>`;
}

/** @param {{ job: ShownJob }} props */
const Decided = ({ job }) => html`<section class="panel">
  <div class="split">
    <h3 dir="auto">${job.name}</h3>
    <span><${Badge} status=${job.status}>${words(job.status)}<//> <span class="number">${money(job.totals.total)}</span></span>
  </div>
  <${Lines} job=${job} />
</section>`;

/** @param {{ amount?: string, isBusy?: boolean }} props */
const Total = ({ amount, isBusy = false }) => html`<p class="split" aria-busy=${isBusy}>
  Total, with tax <output><strong>${amount ? money(amount) : "Nothing approved"}</strong></output>
</p>`;

/**
 * The work to decide on.
 *
 * @param {object} props
 * @param {Approval} props.approval
 * @param {(error: unknown) => void} props.onRefused
 * @param {(answer: any) => void} props.onAnswer
 */
function Offer({ approval, onRefused, onAnswer }) {
  const { version } = approval;
  const [first] = useState(approval);
  const [choices, setChoices] = useState(/** @type {Record<string, Decision>} */ ({}));
  const [tries, setTries] = useState(0);
  const banner = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => banner.current?.focus(), [version]);

  const proposed = approval.jobs.filter((job) => job.status === "proposed");
  const decided = approval.jobs.filter((job) => job.status !== "proposed");
  /** A choice holds as long as its job stands as it was chosen. @param {Job} job */
  const decisionOf = (job) => choices[JSON.stringify(job)];
  /** @param {Job} job @param {Decision} decision */
  const choose = (job, decision) => setChoices((before) => ({ ...before, [JSON.stringify(job)]: decision }));
  /** @param {Job} job */
  const markOf = (job) => {
    const before = first.jobs.find(({ id }) => id === job.id);
    return before ? JSON.stringify(before) !== JSON.stringify(job) && "Changed" : "New";
  };
  const jobs = proposed.map((job) => ({ id: job.id, decision: decisionOf(job) })).filter((job) => job.decision);
  const approves = jobs.some((job) => job.decision === "approved");
  const left = proposed.length - jobs.length;

  const question = jobs.length ? JSON.stringify({ version, jobs }) : null;
  const { data, error: refusal, isBusy } = useDryRun(PATH, question, tries);
  useEffect(() => onRefused(refusal), [refusal, onRefused]);
  const fault = refusal ? say(refusal) : "";
  const form = useForm({ signed_name: "" }, async ({ signed_name }) => {
    if (fault) setTries(tries + 1);
    if (fault || isBusy) return;
    const signed = { signed_name: signed_name.trim() || undefined, amount: approves ? data.total : undefined };
    try {
      onAnswer((await api.post(PATH, { version, jobs, ...signed }, { key })).data);
    } catch (error) {
      if (error instanceof Problem) setTries(tries + 1);
      onRefused(error);
      throw Object.assign(/** @type {Error} */ (error), { message: say(error) });
    }
  });
  /** The same while it is not known whether the answer arrived: sent again, it counts once. */
  const key = useMemo(newKey, [question, tries, form.values.signed_name]);
  const shown = data || approval;
  const isAnyApproved = shown.jobs.some((/** @type {Job} */ job) => job.status === "approved");
  const hint = `It is your signature. The link is good until ${day(approval.expires_at)}.`;
  const label = () => {
    if (left) return left < proposed.length ? `${left} left to decide` : "Approve or decline each job";
    if (isBusy || form.isBusy) return form.isBusy ? "Sending …" : "Adding up …";
    if (fault) return "Try again";
    return approves ? `Approve for ${money(data?.total)}` : "Decline";
  };

  return html`<h1>${car(approval.vehicle)}</h1>
    ${version !== first.version && html`<p class="banner" role="alert" tabindex="-1" ref=${banner}>${CHANGED}</p>`}
    <p>${proposed.length ? "The shop asks for your yes or no to this work." : "There is nothing left to decide."}</p>
    <form onSubmit=${form.submit}>
      ${proposed.map((job) => html`<${Proposed} key=${job.id} job=${job} decision=${decisionOf(job)} mark=${markOf(job)}
        onChoose=${(/** @type {Decision} */ decision) => choose(job, decision)} />`)}
      ${decided.length > 0 && html`<h2>Decided already</h2>`} ${decided.map((job) => html`<${Decided} key=${job.id} job=${job} />`)}
      ${proposed.length > 0 && html`<${Field} label="Your full name" hint=${hint}>
        <input autocomplete="name" maxlength="120" required=${approves} pattern=".*\\S.*" ...${form.bind("signed_name")} />
      <//>`}
      <div class="confirm">
        <${Total} amount=${isAnyApproved ? shown.totals.total : undefined} isBusy=${isBusy} />
        ${(form.message || fault) && html`<p class="problem" role="alert">${form.message || fault}</p>`}
        ${proposed.length > 0 && html`<button class="primary" aria-disabled=${!left && (isBusy || form.isBusy)}>${label()}</button>`}
      </div>
    </form>`;
}

/** The answer as it was recorded, to keep and to print. @param {Recorded} props */
function Receipt({ vehicle, answer }) {
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => title.current?.focus(), []);
  const isApproved = answer.jobs.some((job) => job.status === "approved");
  const moment = new Date(answer.created_at).toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  const said = isApproved ? `You approved work for ${money(answer.amount)}` : "You declined this work";
  return html`<h1 ref=${title} tabindex="-1">${said}</h1>
    <p>The shop has your answer. You may close this page, or print it.</p>
    <h2>${car(vehicle)}</h2>
    ${answer.jobs.map((job) => html`<${Decided} key=${job.id} job=${job} />`)}
    ${isApproved && html`<${Total} amount=${answer.amount} />`}
    <p>${answer.signed_name && html`Signed by <bdi>${answer.signed_name}</bdi>, `}${moment}</p>
    <p class="actions"><button type="button" onClick=${() => print()}>Print</button></p>`;
}

function Page() {
  /** The answer is kept with this entry of the history: it is there still when the page is loaded anew. */
  const [recorded, setRecorded] = useState(/** @type {Recorded | null} */ (history.state));
  const [ending, setEnding] = useState(/** @type {Problem | null} */ (null));
  const { data, error, refresh } = usePolled(recorded || ending ? null : PATH, undefined, { seconds: 30 });
  const isReachable = useReachable(api);
  const approval = /** @type {Approval | null} */ (data);
  const shop = usePolled("/shop", undefined, { seconds: 600 }).data ?? approval?.shop;
  if (shop) formatFor(shop);
  if (shop) document.title = `Work on your car – ${shop.name}`;
  const onAnswer = (/** @type {Recorded["answer"]} */ answer) => {
    history.replaceState({ vehicle: approval?.vehicle, answer }, "");
    setRecorded(history.state);
  };
  const onRefused = useCallback(
    (/** @type {unknown} */ failure) => {
      if (failure instanceof Problem && failure.slug in ENDINGS) setEnding(failure);
      else if (failure instanceof Problem) void refresh();
    },
    [refresh],
  );
  const show = () => {
    const end = ending ?? (approval ? null : error);
    if (recorded) return html`<${Receipt} ...${recorded} />`;
    if (!end) return approval && html`<${Offer} ...${{ approval, onRefused, onAnswer }} />`;
    const [title, text] = (end instanceof Problem && ENDINGS[end.slug]) || ["This does not work now", say(end)];
    return html`<h1>${title}</h1><p role="alert">${text}</p>`;
  };
  return html`<main class="approval">
    <header>
      <strong dir="auto">${shop?.name}</strong>
      <p class="quiet" dir="auto">${shop?.address}</p>
      ${shop?.phone && html`<a href=${`tel:${shop.phone}`}>${shop.phone}</a>`}
    </header>
    ${!isReachable && html`<p class="banner" role="alert">The shop's server does not answer. Trying again …</p>`}
    ${show() ?? html`<h1>One moment …</h1>`}
  </main>`;
}

render(html`<${Page} />`, document.body);
