/** What a ticket costs, what is authorised and paid, and its papers. */

import { money, time, words } from "./format.js";
import { useAct, usePolled } from "./hooks.js";
import { api, isDesk, useSession } from "./session.js";
import { notify } from "./ui.js";
import { html, useEffect } from "./vendor/preact.js";

/** @typedef {import("./ticket.js").State} State */
/** @typedef {import("./types").Ticket} Ticket */

const COLUMNS = ["parts", "labor", "fees", "discount", "supplies", "tax", "total"];
const BILLED = ["invoiced", "paid"];
const NEWEST = { sort: "-id" };

/** Return the integer that an amount is in units of the tenth power, such as cents. @param {string | number} amount @param {number} places */
function integer(amount, places) {
  const [, sign = "", whole = "", part = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(String(amount)) ?? [];
  return BigInt(`${sign}${whole}${part.padEnd(places, "0").slice(0, places)}`);
}

/** @param {bigint} cents */
const decimal = (cents) => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, "0");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

/**
 * What is left of a ticket's total without its tax when parts and sublets are paid; hours cost what no ticket tells.
 *
 * @param {Pick<Ticket, "parts" | "fees" | "totals">} ticket
 * @returns {{ amount: string, percent: string | null, isWhole: boolean }} `isWhole`: the cost of every part is known.
 */
export function margin({ parts, fees, totals }) {
  const sales = integer(totals.total, 2) - integer(totals.tax, 2);
  const costs = parts.map(({ quantity, unit_cost }) => (integer(quantity, 3) * integer(unit_cost ?? "0", 2) + 500n) / 1000n);
  const spent = [...costs, ...fees.map(({ cost }) => integer(cost ?? "0", 2))].reduce((sum, cost) => sum + cost, 0n);
  const left = sales - spent;
  const tenths = sales > 0n ? (left * 1000n) / sales : null;
  return {
    amount: decimal(left),
    percent: tenths === null ? null : (Number(tenths) / 10).toFixed(1),
    isWhole: parts.every(({ unit_cost }) => unit_cost !== null),
  };
}

/** @param {{ state: State }} props */
export function Money({ state: { ticket, path } }) {
  const { me } = useSession();
  const { totals, totals_if_approved: then, authorized_amount: ceiling } = ticket;
  const isOpen = then.total !== totals.total;
  const left = margin(ticket);
  return html`<section class="panel money" aria-label="Money">
    <table>
      ${isOpen && html`<thead><tr><th scope="col"></th><th scope="col" class="number">Now</th><th scope="col" class="number">If approved</th></tr></thead>`}
      <tbody>
        ${COLUMNS.map((name) => {
          const [now, later] = [/** @type {any} */ (totals)[name], /** @type {any} */ (then)[name]];
          if (name !== "total" && !Number(now) && !Number(later)) return null;
          const sign = name === "discount" ? "−" : "";
          return html`<tr key=${name} class=${name}>
            <th scope="row">${words(name)}</th>
            <td class="number">${sign}${money(now)}</td>
            ${isOpen && html`<td class="number">${sign}${money(later)}</td>`}
          </tr>`;
        })}
      </tbody>
    </table>
    <dl>
      ${ceiling !== null && html`<div><dt>Authorised</dt><dd class=${integer(totals.total, 2) > integer(ceiling, 2) ? "late" : ""}>${money(ceiling)}</dd></div>`}
      ${(Number(totals.paid) !== 0 || BILLED.includes(ticket.status)) &&
      html`<div><dt>Paid</dt><dd>${money(totals.paid)}</dd></div>
        <div><dt>Balance</dt><dd class=${Number(totals.balance) > 0 ? "due" : ""}>${money(totals.balance)}</dd></div>`}
      <div><dt>Margin${!left.isWhole && html` <small>(the cost of a part is unknown)</small>`}</dt><dd>${money(left.amount)}${left.percent !== null && ` · ${left.percent}\u00a0%`}</dd></div>
    </dl>
    <${Papers} ticket=${ticket} path=${path} />
    ${isDesk(me) && html`<${Records} path=${path} version=${ticket.version} />`}
  </section>`;
}

/** @param {{ ticket: Ticket, path: string }} props */
function Papers({ ticket, path }) {
  const { me } = useSession();
  const { act, message } = useAct();
  const papers = [["estimate", "Estimate"], ["work-order", "Work order"], ...(BILLED.includes(ticket.status) && isDesk(me) ? [["invoice", "Invoice"]] : [])];
  return html`<div class="papers">
    ${papers.map(([name, label]) => html`<button key=${name} type="button" onClick=${() => act(() => openPaper(`${path}/${name}.pdf`))}>${label}</button>`)}
    ${message && html`<p class="problem" role="alert">${message}</p>`}
  </div>`;
}

/** Show a PDF in a tab of its own, which is opened at once: later, the browser would take it for a popup. @param {string} path */
async function openPaper(path) {
  const tab = open("", "_blank");
  try {
    const address = URL.createObjectURL(await api.getBlob(path));
    if (tab) tab.location.href = address;
    else notify("The browser keeps the page from opening a tab. Allow popups for this page.", { isProblem: true });
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** What the customer decided and paid. @param {{ path: string, version: number }} props */
function Records({ path, version }) {
  const { data: decisions, refresh: refreshDecisions } = usePolled(`${path}/authorizations`, NEWEST, { seconds: 30 });
  const { data: payments, refresh: refreshPayments } = usePolled(`${path}/payments`, NEWEST, { seconds: 30 });
  useEffect(() => {
    void refreshDecisions();
    void refreshPayments();
  }, [version, refreshDecisions, refreshPayments]);
  /** @param {any} each @param {string} what @param {string} who @param {string} [sign] */
  const record = (each, what, who, sign = "") => html`<li key=${each.id}>
    <span>${what} <bdi>${each.said_by ?? each.reference}</bdi> <small>${words(each.method)} · ${time(each.created_at)} · <bdi>${who}</bdi></small></span>
    <span class="number">${sign}${money(each.amount)}</span>
  </li>`;
  return html`
    ${decisions?.length > 0 && html`<h3>Decisions</h3>
      <ul class="list">${decisions.map((/** @type {any} */ each) => record(each, outcome(each), each.recorded_by?.name ?? "The customer"))}</ul>`}
    ${payments?.length > 0 && html`<h3>Payments</h3>
      <ul class="list">${payments.map((/** @type {any} */ each) => record(each, words(each.kind), each.received_by.name, each.kind === "refund" ? "−" : ""))}</ul>`}
  `;
}

/** @param {any} authorization */
function outcome({ decision, jobs }) {
  const statuses = new Set((jobs ?? []).map((/** @type {any} */ job) => job.status));
  return words(decision ?? ([...statuses].join(", ") || "Amount set"));
}
