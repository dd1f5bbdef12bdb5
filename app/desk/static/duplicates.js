/** What may be on record already, beside what was typed: one of them is taken, or the new one entered all the same. */

import { Problem } from "./api.js";
import { car } from "./format.js";
import { api } from "./session.js";
import { Dialog } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {{ customer_id: number, vehicle_id: number | null, why: string[] }} Duplicate */
/** @typedef {{ why: string[], customer: import("./types").Customer, vehicle: import("./types").Vehicle | null }} OnRecord */

/** Load them; who is alike by themself and by a car stands there once, with the car. @param {Duplicate[]} duplicates @returns {Promise<OnRecord[]>} */
export async function loadDuplicates(duplicates) {
  const cars = duplicates.filter((each) => each.vehicle_id);
  const people = duplicates.filter((each) => !each.vehicle_id);
  const owners = new Set(cars.map((each) => each.customer_id));
  const whyOf = (/** @type {number} */ id) => people.find((each) => each.customer_id === id)?.why ?? [];
  const rows = [
    ...cars.map((each) => ({ ...each, why: [...whyOf(each.customer_id), ...each.why] })),
    ...people.filter((each) => !owners.has(each.customer_id)),
  ];
  return (await Promise.all(rows.map(loadOne))).filter((row) => row !== null);
}

/** @param {Duplicate} duplicate @returns {Promise<OnRecord | null>} Null where it is gone meanwhile. */
async function loadOne({ customer_id, vehicle_id, why }) {
  const path = `/customers/${customer_id}`;
  try {
    const customer = await api.get(path);
    return { why, customer: customer.data, vehicle: vehicle_id ? (await api.get(`${path}/vehicles/${vehicle_id}`)).data : null };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** The rows of the table: its heading, what was typed, what is on record. @type {[string, string, (typed: any) => string, (found: OnRecord) => any][]} */
const ROWS = [
  ["name", "Name", (typed) => typed.name, ({ customer }) => customer.name],
  ["phone", "Phone", (typed) => typed.phone, ({ customer }) => customer.phone],
  ["email", "E-mail", (typed) => typed.email, ({ customer }) => customer.email],
  ["car", "Car", (typed) => typed.car, ({ vehicle }) => vehicle && car(vehicle)],
  ["plate", "Plate", (typed) => typed.plate, ({ vehicle }) => vehicle?.plate],
  ["vin", "VIN", (typed) => typed.vin, ({ vehicle }) => vehicle?.vin],
];

/** @param {{ typed: Record<string, string>, found: OnRecord[], onTake: (found: OnRecord) => void, onGoOn: () => void, onClose: () => void }} props */
export function Duplicates({ typed, found, onTake, onGoOn, onClose }) {
  return html`<${Dialog} title="On record already?" wide onClose=${onClose}>
    <div class="duplicates scrolls">
      <table>
        <thead>
          <tr><td></td><th scope="col">As typed</th>${found.map((_, index) => html`<th key=${index} scope="col">On record</th>`)}</tr>
        </thead>
        <tbody>
          ${ROWS.map(
            ([name, label, typedOf, foundOf]) => html`<tr key=${name}>
              <th scope="row">${label}</th>
              <td dir="auto">${typedOf(typed)}</td>
              ${found.map((each, index) => html`<td key=${index} dir="auto" class=${each.why.includes(name) ? "same" : ""}>${foundOf(each)}</td>`)}
            </tr>`,
          )}
        </tbody>
        <tfoot>
          <tr>
            <td></td>
            <td><button type="button" onClick=${onGoOn}>Enter as new</button></td>
            ${found.map((each, index) => {
              const what = each.vehicle ? "Take this car" : "Take this customer";
              return html`<td key=${index}><button type="button" class="primary" autofocus=${index === 0} onClick=${() => onTake(each)}>${what}</button></td>`;
            })}
          </tr>
        </tfoot>
      </table>
    </div>
  <//>`;
}
