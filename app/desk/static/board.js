/** The board: the cars in the shop, in columns by state. Cards are moved by hand and by keys, and the server has the say. */

import { cardOf, Column, focusCard, nearestCard, useSteadyCards } from "./board_columns.js";
import { dragCard } from "./board_drag.js";
import { useBoard } from "./board_state.js";
import { words } from "./format.js";
import { useForm, useKeys, useStaff } from "./hooks.js";
import { explain, isDesk, useSession } from "./session.js";
import { Dialog, Select } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").TicketStatus} TicketStatus */
/** @typedef {{ mechanic_id?: string, advisor_id?: string }} Filter */
/** @typedef {{ id: number, from: string | undefined, why: string }} Refusal */

const kept = localStorage; // eslint-disable-line no-restricted-globals -- which tickets are shown is no secret

/** What leads on from a state where moving the card does not. @type {Record<string, string>} */
const NEXT = {
  estimate: "An estimate opens when the customer approves a job: send the approval link, or record the answer.",
  open: "Work on an open ticket begins first: move it to in progress.",
  in_progress: "Work that is in progress is completed first.",
  completed: "A completed ticket becomes invoiced by its invoice.",
  invoiced: "An invoiced ticket leaves the board when it is paid. An admin can reopen it.",
};

/** The filter is remembered for the next visit. */
function useFilter() {
  const { me } = useSession();
  const name = `mechanic-shop.board.${me.id}`;
  const form = useForm(/** @type {Filter} */ (JSON.parse(kept.getItem(name) ?? "{}")), () => Promise.resolve());
  useEffect(() => kept.setItem(name, JSON.stringify(form.values)), [name, form.values]);
  return form;
}

/** @param {{ form: ReturnType<typeof useFilter> }} props */
function FilterBar({ form }) {
  const { me } = useSession();
  const staff = useStaff();
  const own = isDesk(me) ? "advisor_id" : "mechanic_id";
  const isMine = form.values[own] === String(me.id);
  const toggle = () => form.set({ [own]: isMine ? "" : String(me.id) });
  return html`<div class="board-filter flow">
    <h1>Board</h1>
    <button type="button" aria-pressed=${isMine} onClick=${toggle}>Mine</button>
    <${Select} form=${form} name="mechanic_id" label="Mechanic" of=${staff} none="Everyone" />
    <${Select} form=${form} name="advisor_id" label="Advisor" of=${staff.filter(isDesk)} none="Everyone" />
  </div>`;
}

export function Board() {
  const form = useFilter();
  const { columns, isLoaded, error, move, touch } = useBoard(form.values);
  const [refusal, setRefusal] = useState(/** @type {Refusal | null} */ (null));
  const [said, say] = useState("");
  const board = useRef(/** @type {HTMLElement | null} */ (null));
  useSteadyCards();

  /** @param {HTMLElement} card @param {TicketStatus} target */
  const attempt = async (card, target) => {
    const [id, from] = [Number(card.dataset.id), card.closest("section")?.dataset.status];
    try {
      if (await move(id, target)) say(`Ticket ${id} is ${words(target).toLowerCase()} now.`);
    } catch (failure) {
      setRefusal({ id, from, why: explain(failure) });
    }
  };
  /** Move the focus within a column. @param {1 | -1} step */
  const goDown = (step) => {
    touch();
    const card = cardOf(document.activeElement);
    const beside = step > 0 ? card?.nextElementSibling : card?.previousElementSibling;
    const target = card ? beside : board.current?.querySelector(".card");
    if (target) focusCard(target);
  };
  /** Move the focus to the next column, or with Shift the card itself. @param {KeyboardEvent} event @param {1 | -1} step */
  const goAside = ({ shiftKey }, step) => {
    const card = cardOf(document.activeElement);
    if (!card) return goDown(step);
    touch();
    const index = columns.findIndex(({ status }) => status === card.closest("section")?.dataset.status);
    const beside = step > 0 ? columns.slice(index + 1) : columns.slice(0, index).reverse();
    const target = shiftKey ? beside[0] : beside.find(({ cards }) => cards.length);
    if (target && shiftKey) void attempt(card, target.status);
    else if (target) focusCard(nearestCard(target.status, card));
  };
  useKeys({
    ArrowUp: ["Card above", () => goDown(-1)],
    ArrowDown: ["Card below", () => goDown(1)],
    ArrowLeft: ["Column to the left; with Shift, move the card there", (event) => goAside(event, -1)],
    ArrowRight: ["Column to the right; with Shift, move the card there", (event) => goAside(event, 1)],
  });
  /** @param {PointerEvent} event */
  const press = (event) => {
    const card = cardOf(event.target);
    if (!card || !board.current || event.button) return;
    dragCard(event, card, board.current, (status) => void attempt(card, /** @type {TicketStatus} */ (status)));
  };

  return html`
    <${FilterBar} form=${form} />
    ${error !== null && html`<p class="problem" role="alert">${explain(error)}</p>`}
    ${!isLoaded && error === null && html`<p class="quiet">Loading …</p>`}
    <p class="visually-hidden" role="status">${said}</p>
    <div class="board" ref=${board} onPointerDown=${press} onPointerMove=${touch}>
      ${columns.map((column) => html`<${Column} key=${column.status} column=${column} />`)}
    </div>
    ${refusal &&
    html`<${Dialog} title=${`Ticket ${refusal.id} was not moved`} onClose=${() => setRefusal(null)}>
      <p role="alert">${refusal.why}</p>
      <p class="quiet">${refusal.from && NEXT[refusal.from]}</p>
      <p class="actions"><a class="button" href=${`#/tickets/${refusal.id}`} autofocus>Open the ticket</a></p>
    <//>`}
  `;
}
