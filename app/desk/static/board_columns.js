/** The columns of the board and their cards. A card is drawn again only when something on it has changed. */

import { car, isLate, money, since, time, words } from "./format.js";
import { Badge } from "./ui.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").TicketCard} TicketCard */
/** @typedef {import("./types").TicketStatus} TicketStatus */
/** @typedef {{ status: TicketStatus, count: number | null, cards: TicketCard[] }} ColumnData Over 1,000 are not counted: null. */

const MARK_SECONDS = 3;
/** Cards as they were drawn last. @type {Map<number, string>} */
const drawn = new Map();

/** @param {EventTarget | null} target @returns {HTMLElement | null} The card that an element belongs to. */
export const cardOf = (target) => (target instanceof Element ? target.closest(".card") : null);

/** Focus the link of a card, and bring the card into view. @param {Element} card */
export function focusCard(card) {
  card.querySelector("a")?.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Return the card of a column that is most level with another. @param {TicketStatus} status @param {Element} card */
export function nearestCard(status, card) {
  const distance = (/** @type {Element} */ other) => Math.abs(other.getBoundingClientRect().top - card.getBoundingClientRect().top);
  const others = [...document.querySelectorAll(`.column[data-status="${status}"] .card`)];
  return others.reduce((best, each) => (distance(each) < distance(best) ? each : best));
}

/** While the cards of a component change, keep the focus, and the card under the hand in its place. */
export function useSteadyCards() {
  const focused = cardOf(document.activeElement);
  const card = /** @type {HTMLElement | null} */ (document.querySelector(".card:hover")) ?? focused;
  const [list, top] = [card?.parentElement, card?.getBoundingClientRect().top ?? 0];
  useLayoutEffect(() => {
    if (card && list?.contains(card)) list.scrollTop += card.getBoundingClientRect().top - top;
    if (!focused || document.activeElement !== document.body) return;
    const moved = document.querySelector(`.card[data-id="${focused.dataset.id}"]`);
    if (moved) focusCard(moved);
  });
}

/** @param {{ column: ColumnData }} props */
export function Column({ column }) {
  const [visited, setVisited] = useState(0);
  /** Tab leads to the card of the column that had the focus last, or to its first. */
  const stop = column.cards.some(({ id }) => id === visited) ? visited : column.cards[0]?.id;
  return useMemo(() => {
    const { status, count, cards } = column;
    const visit = (/** @type {FocusEvent} */ event) => setVisited(Number(cardOf(event.target)?.dataset.id));
    return html`<section class="column" data-status=${status} aria-labelledby=${`column-${status}`}>
      <h2 id=${`column-${status}`}>${words(status)} <span class="quiet">${count ?? "over 1,000"}</span></h2>
      <ul onFocusIn=${visit}>
        ${cards.map((card) => html`<${Card} key=${card.id} card=${card} isStop=${card.id === stop} />`)}
      </ul>
      ${count !== cards.length && html`<p class="quiet">Shown are the ${cards.length} that are promised first.</p>`}
    </section>`;
  }, [column, stop]);
}

/** @param {{ card: TicketCard, isStop: boolean }} props */
function Card({ card, isStop }) {
  const element = useMark(card);
  const [age, promise, isOverdue] = [since(card.status_since), card.promised_at && time(card.promised_at), isLate(card)];
  return useMemo(() => {
    const { id, vehicle, plate, customer, mechanics, advisor, total } = card;
    return html`<li ref=${element} class="card" data-id=${id}>
      <h3>
        <a href=${`#/tickets/${id}`} tabindex=${isStop ? 0 : -1} draggable=${false} aria-describedby=${`card-${id}`}>
          <bdi>${car(vehicle)}</bdi>
        </a>
      </h3>
      <div id=${`card-${id}`} class="facts">
        <p class="number">${money(total)}</p>
        <p>${plate && html`<bdi class="plate">${plate}</bdi> `}<bdi>${customer.name}</bdi></p>
        <p class="number quiet">#${id}</p>
        <p class=${isOverdue ? "late" : ""}>${promise ? `${isOverdue ? "Overdue:" : "Due"} ${promise}` : "No promise"}</p>
        <p class="number quiet" title="Time in this state">${age}</p>
        <p class="quiet wide">
          <bdi>${mechanics.map(({ name }) => name).join(", ") || "No mechanic"}</bdi>
          ${advisor && html` · advisor <bdi>${advisor.name}</bdi>`}
        </p>
        ${badges(card)}
      </div>
    </li>`;
  }, [card, age, promise, isOverdue, isStop, element]);
}

/** Mark a card softly that has changed since it was drawn, or has got its state since the page was loaded. @param {TicketCard} card */
function useMark(card) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const [before, now] = [drawn.get(card.id), JSON.stringify(card)];
    drawn.set(card.id, now);
    const isNews = before ? before !== now : Date.parse(card.status_since) > performance.timeOrigin;
    if (!isNews || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    element.current?.animate({ opacity: [1, 0] }, { duration: MARK_SECONDS * 1000, pseudoElement: "::before" });
  }, [card]);
  return element;
}

/** @param {number} number @param {string} what */
const counted = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** @param {TicketCard} card */
function badges({ hold, parts_short, jobs, approval_link, status, total, balance }) {
  const shown = [
    balance !== total && ["balance", `${money(balance)} to pay`],
    hold && ["hold", hold === "other" ? "On hold" : `Waits for ${hold}`],
    parts_short > 0 && ["short", `${counted(parts_short, "part")} short`],
    jobs.proposed > 0 && ["proposed", `${counted(jobs.proposed, "job")} to answer`],
    approval_link && status !== "completed" && status !== "invoiced" && [approval_link, `Link ${approval_link}`],
  ].filter((badge) => Array.isArray(badge));
  return html`<p class="wide flow">
    ${shown.map(([kind, text]) => html`<${Badge} key=${kind} status=${kind}>${text}<//>`)}
  </p>`;
}
