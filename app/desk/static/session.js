/** Who is signed in, and the one client of the API that all screens share. */

import { Api, pause, Problem, Unreachable } from "./api.js";
import { formatFor } from "./format.js";
import { createContext, useContext } from "./vendor/preact.js";

const RETRY_SECONDS = 2;

/** @typedef {{ me: import("./types").Me, shop: import("./types").Shop }} Session */

export const api = new Api("");

/** Load who is signed in, and the shop, once the server answers. @returns {Promise<Session>} */
export async function load() {
  try {
    const [{ data: me }, { data: shop }] = await Promise.all([api.get("/me"), api.get("/shop")]);
    formatFor(shop);
    return { me, shop };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    await pause(RETRY_SECONDS);
    return load();
  }
}

export const SessionContext = createContext(/** @type {Session | null} */ (null));

/** Return who is signed in, and the shop. */
export const useSession = () => /** @type {Session} */ (useContext(SessionContext));

/** Whether somebody may do what advisors and admins do. @param {{ role: string | null }} someone */
export const isDesk = ({ role }) => role === "advisor" || role === "admin";

/**
 * Whether somebody may change a ticket that is in work: the desk, and of the bay who opened it or is on it.
 *
 * @param {import("./types").Me} me
 * @param {Pick<import("./types").Ticket, "opened_by" | "mechanics">} ticket
 */
export const isTheirs = (me, { opened_by, mechanics }) => isDesk(me) || [opened_by, ...mechanics].some(({ id }) => id === me.id);

/** Go to a screen. @param {string} path Such as "/tickets/12". */
export const go = (path) => void (location.hash = path);

/** What people at the counter are told instead of the API's words. @type {Record<string, string>} */
const SENTENCES = {
  "invalid-input": "Some of it is not right yet.",
  "probable-duplicate": "A customer or a car like this is on record already.",
  "sign-in-failed": "The e-mail or the password is wrong.",
};

/** Return a sentence on what went wrong. @param {unknown} error */
export function explain(error) {
  if (error instanceof Unreachable) return "The server does not answer. What you typed is kept; try again.";
  if (!(error instanceof Problem)) throw error;
  const { slug, message, document } = error;
  if (slug === "odometer-backwards") return `The last reading was ${document.odometer.toLocaleString()}.`;
  return SENTENCES[slug] ?? message;
}
