/** What is typed into the intake: kept as a draft, and posted as a ticket. */

import { fromLocal, numberOf } from "./format.js";
import { api } from "./session.js";

/** @typedef {typeof EMPTY} Values */

export const EMPTY = {
  ...{ customer_id: "", phone: "", name: "", email: "" },
  ...{ vehicle_id: "", vin: "", plate: "", plate_state: "", car: "", odometer: "" },
  ...{ description: "", promised_at: "", key_tag: "", advisor_id: "", mechanic_id: "", status: "" },
  jobs: "", // the ids of deferred jobs that are offered again
};
/** The `vehicle_id` of a car that is typed, for a customer who is on record. */
export const NEW_CAR = "new";

/** Drafts end with the tab, and when somebody signs out. They hold no token. */
const storage = sessionStorage; // eslint-disable-line no-restricted-globals -- the token there is api.js's alone
/** @param {number} by Whose it is. */
const nameOf = (by) => `mechanic-shop.intake.${by}`;

/** @param {number} by @returns {Partial<Values>} */
export const readDraft = (by) => JSON.parse(storage.getItem(nameOf(by)) ?? "{}");
/** @param {number} by @param {Values} values */
export const keepDraft = (by, values) => storage.setItem(nameOf(by), JSON.stringify(values));
/** @param {number} by */
export const dropDraft = (by) => storage.removeItem(nameOf(by));

/** @param {Record<string, any>} values Those that are filled in, without the spaces round them. */
function filled(values) {
  const trimmed = Object.entries(values).map(([name, value]) => [name, value?.trim?.() ?? value]);
  return Object.fromEntries(trimmed.filter(([, value]) => value || value === 0));
}

/** Return year, make and model of a car as people say it: "2016 Honda Civic". @param {string} text */
export function partsOf(text) {
  const [, year, name = ""] = /^((?:19|20)\d\d\b)?\s*(.*)$/.exec(text.trim()) ?? [];
  const [, make, model] = /^(alfa romeo|aston martin|land rover|\S+)\s*(.*)$/i.exec(name) ?? [];
  return filled({ year: Number(year) || null, make, model });
}

/** @param {Values} values */
export const typedCar = ({ vin, plate, plate_state, car }) => filled({ vin, plate, plate_state, ...partsOf(car) });

/** @param {string} text */
const plain = (text) => text.replace(/[^\p{L}\d]/gu, "").toUpperCase();

/**
 * Which of a customer's cars is meant: the one whose VIN or plate is typed, a new one that is typed, or the only one.
 *
 * @param {import("./types").Vehicle[]} cars @param {Values} values
 */
export function carMeant(cars, values) {
  const typed = [values.vin, values.plate].map(plain).filter(Boolean);
  const same = cars.find(({ vin, plate }) => typed.includes(vin ?? "-") || typed.includes(plate ?? "-"));
  if (same) return String(same.id);
  if (!cars.length || Object.keys(typedCar(values)).length) return NEW_CAR;
  return cars.length === 1 ? String(cars[0]?.id) : "";
}

/** Return what is posted. @param {Values} values */
export function ticketOf(values) {
  const { customer_id, vehicle_id, name, phone, email, description, key_tag, status } = values;
  const isKnown = vehicle_id && vehicle_id !== NEW_CAR;
  const vehicle = typedCar(values);
  return {
    ...(customer_id ? { customer_id: Number(customer_id) } : { customer: filled({ name, phone, email }) }),
    ...(isKnown ? { vehicle_id: Number(vehicle_id) } : Object.keys(vehicle).length && { vehicle }),
    ...filled({ description, odometer: numberOf(values.odometer), key_tag, status }),
    ...filled({ promised_at: fromLocal(values.promised_at), advisor_id: Number(values.advisor_id) || null }),
  };
}

/** @param {string} jobs */
export const idsOf = (jobs) => jobs.split(" ").filter(Boolean);

/**
 * Give a new ticket its mechanic, and offer deferred jobs again.
 *
 * @param {number} id @param {Values} values @returns {Promise<unknown[]>} What failed.
 */
export async function follow(id, { mechanic_id, jobs }) {
  const path = `/service-tickets/${id}`;
  const revive = (/** @type {string} */ job) => api.post(`${path}/jobs`, { revive_job_id: Number(job), status: "proposed" });
  const assign = mechanic_id && api.put(`${path}/assign-mechanic/${mechanic_id}`, undefined);
  const results = await Promise.allSettled([assign, ...idsOf(jobs).map(revive)]);
  return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
}
