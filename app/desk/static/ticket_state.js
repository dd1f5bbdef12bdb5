/**
 * One ticket that stays fresh, and changes to it that never overwrite what somebody else changed.
 *
 * A change is sent with the version that whoever makes it has seen. Where the ticket changed since, and what changed is
 * not what they are about to change, it is sent again on the new state, and a notice tells what changed. Else they are
 * asked first (`Merge` shows `conflict`).
 */

import { Problem } from "./api.js";
import { usePolled } from "./hooks.js";
import { api } from "./session.js";
import { differences, tell } from "./ticket_merge.js";
import { notify } from "./ui.js";
import { useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./types").Ticket} Ticket */
/** @typedef {import("./types").TicketChanges} Changes */

/** @typedef {{ ticket: Ticket, etag: string | null }} Seen A ticket as somebody saw it. */

/**
 * @typedef {object} Conflict
 * @property {string} what What is to be done, such as "Add the part".
 * @property {import("./ticket_merge.js").Difference[]} theirs What differs, and who changed it.
 * @property {Changes} changes The fields that are to be changed.
 * @property {boolean} isEdit Whether it changes fields; else it is an action, such as adding a part.
 * @property {(changes: Changes | null) => void} resolve Takes what to send of the changes; null leaves it.
 */

/**
 * @typedef {object} How
 * @property {string} what For the dialog, such as "Add the part".
 * @property {Seen} [seen] What the change was made on, such as `{ ticket, etag }` when a form was opened. By default what is shown now.
 * @property {(ticket: Ticket) => any} [about] The part of the ticket on which the change depends, such as one line. By default all of it.
 * @property {Changes} [changes] The fields of `PUT .../edit`, where it is that.
 */

/** @typedef {ReturnType<typeof useTicket>} TicketState */

/** @param {string | number} id */
export function useTicket(id) {
  const path = `/service-tickets/${id}`;
  const polled = usePolled(path, undefined, { seconds: 5 });
  const newest = useRef(/** @type {Seen | null} */ (null));
  const [conflict, setConflict] = useState(/** @type {Conflict | null} */ (null));

  /** Take an answer with the ticket, unless it was overtaken by a newer one. @param {{ data: any, etag: string | null }} answer */
  const take = ({ data, etag }) => {
    if (data && data.version >= (newest.current?.ticket.version ?? 0)) newest.current = { ticket: data, etag };
  };
  take(polled);
  const seenNow = () => /** @type {Seen} */ (newest.current);

  const keep = (/** @type {import("./api.js").Answer} */ answer) => (take(answer), polled.keep(answer));
  const read = async () => keep(await api.get(path));

  /**
   * Return what is to be sent of the changes now that the ticket is another one than was seen; null: nothing.
   *
   * @param {Seen} seen @param {Seen} now @param {Changes} changes @param {How} how @param {boolean} isShown
   * @returns {Promise<Changes | null>}
   */
  const settle = async (seen, now, changes, { what, about, changes: fields }, isShown) => {
    if (seen.ticket.version === now.ticket.version) return changes;
    /** What the change depends on. @param {any} ticket */
    const partOf = (ticket) => (about ? about(ticket) : fields ? Object.keys(changes).map((name) => ticket[name]) : ticket);
    const isAlike = JSON.stringify(partOf(seen.ticket)) === JSON.stringify(partOf(now.ticket));
    if (isAlike && isShown) return changes;
    const theirs = await differences(seen.ticket, now.ticket);
    if (!isAlike)
      return new Promise((answer) => {
        const resolve = (/** @type {Changes | null} */ chosen) => (setConflict(null), answer(chosen));
        setConflict({ what, theirs, changes, isEdit: Boolean(fields), resolve });
      });
    notify(`${tell(theirs)} Your change is kept too.`);
    return changes;
  };

  /**
   * Send a change with `If-Match`, and take over the ticket as it is then. Problems but for `stale` are thrown.
   *
   * @param {(etag: string | null, changes: Changes) => Promise<import("./api.js").Answer>} send Sends `changes`, where it is an edit.
   * @param {How} how
   * @returns {Promise<{ data: any } | null>} What the change answered; null where it was left because of what somebody else changed.
   */
  const change = async (send, how) => {
    let { seen = seenNow(), changes = {} } = how;
    for (let isShown = true; ; isShown = false) {
      const now = seenNow();
      const kept = await settle(seen, now, changes, how, isShown);
      if (kept === null) return null;
      if (how.changes && !Object.keys(kept).length) return { data: null };
      [seen, changes] = [now, kept];
      try {
        const answer = await send(seen.etag, changes);
        if (answer.data?.allowed_moves && String(answer.data.id) === String(id)) keep(answer);
        else await read();
        return answer;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        await read();
        if (error.slug !== "stale") throw error;
      }
    }
  };

  /** Change fields of the ticket. @param {Changes} changes @param {Omit<How, "changes">} how */
  const edit = (changes, how) =>
    change((etag, wanted) => api.put(`${path}/edit`, wanted, { etag }), { ...how, changes });

  const { ticket = null, etag = null } = newest.current ?? {};
  return { path, ticket, etag, latest: seenNow, error: polled.error, change, edit, conflict };
}
