/** What the board shows: what the server answered when the hand last rested, and the moves that are on their way. */

import { Problem } from "./api.js";
import { words } from "./format.js";
import { usePolled } from "./hooks.js";
import { api } from "./session.js";
import { useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").TicketCard} TicketCard */
/** @typedef {import("./types").TicketStatus} TicketStatus */
/** @typedef {import("./board_columns.js").ColumnData} ColumnData */
/** @typedef {{ id: number, from: TicketStatus, target: TicketStatus }} Move */

const POLL_SECONDS = 5;
const REST = 1200; // milliseconds after a key or a movement of the pointer, until which nothing moves under the hand
const CLOCK = 30_000; // milliseconds after which times are written anew

/** The order of a column: the earliest promise first, and last what has none. @param {TicketCard} one @param {TicketCard} other */
const byPromise = (one, other) =>
  Date.parse(one.promised_at ?? "9999") - Date.parse(other.promised_at ?? "9999") || one.id - other.id;

/** Return the columns as they are after a move. @param {ColumnData[]} columns @param {Move} move @returns {ColumnData[]} */
function place(columns, { id, target }) {
  const card = columns.flatMap(({ cards }) => cards).find((each) => each.id === id);
  if (!card) return columns;
  return columns.map((column) => {
    const [isHere, belongs] = [column.cards.includes(card), column.status === target];
    if (isHere === belongs) return column;
    const cards = belongs ? [...column.cards, card].sort(byPromise) : column.cards.filter((each) => each !== card);
    return { ...column, cards, count: column.count && column.count + (belongs ? 1 : -1) };
  });
}

/**
 * Return the columns, with the cards that did not change as the objects they were.
 *
 * @param {ColumnData[]} before @param {ColumnData[]} columns
 */
function reuse(before, columns) {
  const known = new Map(before.flatMap(({ cards }) => cards.map((card) => [JSON.stringify(card), card])));
  return columns.map((column) => ({ ...column, cards: column.cards.map((card) => known.get(JSON.stringify(card)) ?? card) }));
}

/**
 * Move a ticket that is still in the state it was shown in, so that nobody's move is undone unseen. What else changed
 * meanwhile does not matter to a move, so it is sent again.
 *
 * @param {Move} move
 */
async function send({ id, from, target }) {
  for (let tries = 1; ; tries += 1) {
    const { data: ticket, etag } = await api.get(`/service-tickets/${id}`);
    const detail = `Somebody has moved it meanwhile: it is ${words(ticket.status).toLowerCase()} now.`;
    if (ticket.status !== from) throw new Problem(409, { detail }, new Headers());
    try {
      return await api.put(`/service-tickets/${id}/status`, { status: target }, { etag });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 412 && tries < 3)) throw error;
    }
  }
}

/** The board as it is shown, and how a card is moved on it. @param {Record<string, string>} filter */
export function useBoard(filter) {
  const { data, error, refresh } = usePolled("/service-tickets/board", filter, { seconds: POLL_SECONDS });
  const [shown, show] = useState(/** @type {ColumnData[]} */ ([]));
  const [moves, setMoves] = useState(/** @type {Move[]} */ ([]));
  const busyUntil = useRef(0);

  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const showWhenCalm = () => {
      const isBusy = Date.now() < busyUntil.current || document.querySelector("dialog[open], .dragging");
      if (isBusy) timer = setTimeout(showWhenCalm, 100);
      else if (data) show((before) => reuse(before, data.columns));
    };
    showWhenCalm();
    return () => clearTimeout(timer);
  }, [data]);
  useEffect(() => {
    const clock = setInterval(() => show((before) => before.map((column) => ({ ...column }))), CLOCK);
    return () => clearInterval(clock);
  }, []);

  const columns = moves.reduce(place, shown);
  /**
   * Show a move at once, and take it back where the server refuses it.
   *
   * @param {number} id @param {TicketStatus} target @returns {Promise<boolean>} Whether it was moved.
   */
  const move = async (id, target) => {
    const from = columns.find(({ cards }) => cards.some((card) => card.id === id))?.status;
    if (!from || from === target || moves.some((each) => each.id === id)) return false;
    const mine = { id, from, target };
    setMoves((before) => [...before, mine]);
    try {
      await send(mine).finally(refresh);
      show((before) => place(before, mine));
    } finally {
      setMoves((before) => before.filter((each) => each !== mine));
    }
    return true;
  };
  const touch = () => void (busyUntil.current = Date.now() + REST);
  return { columns, isLoaded: data !== null, error, move, touch };
}
