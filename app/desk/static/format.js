/** How the desk writes money, times, cars and states. Times are the shop's own, whatever the browser's zone. */

/** @typedef {import("./types").Shop} Shop */

let currency = "USD";
let timeZone = "UTC";
/** Formats by what they were asked for: making one takes longer than a hundred uses. @type {Map<string, any>} */
const formats = new Map();

/** Take the shop's currency and time zone. @param {{ currency: string, time_zone?: string }} shop */
export function formatFor(shop) {
  currency = shop.currency;
  timeZone = shop.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  formats.clear();
}

/** @template Format @param {string} key @param {() => Format} make @returns {Format} */
function format(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

/** @param {string | number | null | undefined} amount An amount of the API, such as "129.90". */
export function money(amount) {
  if (amount === null || amount === undefined) return "–";
  return format("money", () => new Intl.NumberFormat(undefined, { style: "currency", currency })).format(Number(amount));
}

/** @param {string | null | undefined} name A word of the API, such as "in_progress". */
export function words(name) {
  const text = (name ?? "").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A number where it is one, such as "84,210" or "−2", else what was typed: the API says what is wrong with it.
 *
 * @param {string | number} typed
 */
export function numberOf(typed) {
  const plain = String(typed).trim().replace("−", "-").replace(/[,\s](?=\d{3}(?!\d))/g, "");
  return plain === "" || Number.isNaN(Number(plain)) ? typed : Number(plain);
}

/** Whether work can still be written on a ticket. @param {{ status: string }} ticket */
export const isInWork = ({ status }) => ["estimate", "open", "in_progress"].includes(status);

/** @param {{ status: string }} ticket */
export const isBilled = ({ status }) => ["invoiced", "paid"].includes(status);

/** @param {{ year?: number | null, make?: string | null, model?: string | null } | null | undefined} vehicle */
export function car(vehicle) {
  const known = vehicle ? [vehicle.year, vehicle.make, vehicle.model].filter(Boolean).join(" ") : "";
  return known || (vehicle ? "Unknown car" : "No car");
}

/** @param {string} moment @param {Intl.DateTimeFormatOptions} options */
const inShop = (moment, options) =>
  format(JSON.stringify(options), () => new Intl.DateTimeFormat(undefined, { timeZone, ...options })).format(new Date(moment));

/** @param {string | null | undefined} moment An instant; the shop's date and time, today only the time. */
export function time(moment) {
  if (!moment) return "–";
  const clock = inShop(moment, { hour: "numeric", minute: "2-digit" });
  if (day(moment) === day(new Date().toISOString())) return clock;
  return `${inShop(moment, { weekday: "short", day: "numeric", month: "short" })}, ${clock}`;
}

/** @param {string} moment */
export const day = (moment) => inShop(moment, { year: "numeric", month: "short", day: "numeric" });

/** Whether a promise has passed on which work is still done. @param {{ status: string, promised_at: string | null }} ticket */
export const isLate = ({ status, promised_at }) => isInWork({ status }) && promised_at !== null && new Date(promised_at) < new Date();

/** How long ago an instant was: "5 min", "3 h", "2 d". @param {string} moment */
export function since(moment) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(moment).getTime()) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60 / 24)} d`;
}

/** The shop's clock at an instant, such as "2026-11-28T19:13:30": Swedish writes times as ISO 8601 does. @param {Date} moment */
const clockAt = (moment) => moment.toLocaleString("sv", { timeZone }).replace(" ", "T");

/** Return the value of an `<input type="datetime-local">` for an instant. @param {string | null | undefined} moment */
export const toLocal = (moment) => (moment ? clockAt(new Date(moment)).slice(0, 16) : "");

/** Return the instant for such a value, which is a time of the shop's clock. @param {string} local */
export function fromLocal(local) {
  if (!local) return null;
  const asUtc = Date.parse(`${local}Z`);
  const behindUtc = (/** @type {number} */ instant) => instant - Date.parse(`${clockAt(new Date(instant))}Z`);
  const guess = asUtc + behindUtc(asUtc);
  return new Date(asUtc + behindUtc(guess)).toISOString();
}
