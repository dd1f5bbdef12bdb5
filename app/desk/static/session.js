/** Who is signed in, and the one client of the API that all screens share. */

import { Api, Problem, Unreachable } from "./api.js";
import { formatFor } from "./format.js";
import { createContext, useContext } from "./vendor/preact.js";

/** @typedef {{ me: import("./types").Me, shop: import("./types").Shop }} Session */

/** @typedef {(resolve: () => void) => void} ShowSignIn Calls `resolve` once somebody has signed in. */

/** @type {ShowSignIn | null} */
let showSignIn = null;

export const api = new Api("", {
  askToSignIn: () => new Promise((resolve) => showSignIn?.(resolve)),
});

/** Have the shell show the sign-in over the page when a token has expired. @param {ShowSignIn} show */
export function onSignInNeeded(show) {
  showSignIn = show;
}

/** Load who is signed in, and the shop. @returns {Promise<Session>} */
export async function load() {
  const [{ data: me }, { data: shop }] = await Promise.all([api.get("/me"), api.get("/shop")]);
  formatFor(shop);
  return { me, shop };
}

export const SessionContext = createContext(/** @type {Session | null} */ (null));

/** Return who is signed in, and the shop. */
export function useSession() {
  return /** @type {Session} */ (useContext(SessionContext));
}

/** Whether somebody may do what advisors and admins do. @param {{ role: string | null }} someone */
export const isDesk = ({ role }) => role === "advisor" || role === "admin";

/** Go to a screen. @param {string} path Such as "/tickets/12". */
export function go(path) {
  location.hash = path;
}

/** Return a sentence on what went wrong. @param {unknown} error */
export function explain(error) {
  if (error instanceof Unreachable) return "The server does not answer. What you typed is kept; try again.";
  if (error instanceof Problem && error.slug === "invalid-input") return "Some of it is not right yet.";
  if (error instanceof Problem && error.slug === "probable-duplicate") return "A customer or a car like this is on record already.";
  if (error instanceof Problem && error.slug === "odometer-backwards") {
    return `The last reading was ${error.document.odometer.toLocaleString()}.`;
  }
  if (error instanceof Problem) return error.message;
  throw error;
}
