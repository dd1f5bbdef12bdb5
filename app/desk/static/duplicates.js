/** What may be on record already, below what was typed: one of them is taken, or the new one entered all the same. */

import { car } from "./format.js";
import { api } from "./session.js";
import { Dialog, Table } from "./ui.js";
import { html } from "./vendor/preact.js";

/** @typedef {{ customer_id: number, vehicle_id: number | null, why: string[] }} Duplicate */
/** @typedef {Duplicate & { id: string, [field: string]: any }} OnRecord */

const LABELS = { name: "Name", phone: "Phone", email: "E-mail", car: "Car", plate: "Plate", vin: "VIN" };

/** Load them; who is alike by themself and by a car is there once, with the car. @param {Duplicate[]} duplicates */
export function loadDuplicates(duplicates) {
  const cars = duplicates.filter(({ vehicle_id }) => vehicle_id);
  const people = new Map(duplicates.filter(({ vehicle_id }) => !vehicle_id).map((each) => [each.customer_id, each]));
  const found = cars.map((each) => ({ ...each, why: [...each.why, ...(people.get(each.customer_id)?.why ?? [])] }));
  for (const { customer_id } of cars) people.delete(customer_id);
  return Promise.all([...found, ...people.values()].map(load));
}

/** @param {Duplicate} duplicate @returns {Promise<OnRecord>} */
async function load({ customer_id, vehicle_id, why }) {
  const path = `/customers/${customer_id}`;
  const { data: customer } = await api.get(path);
  const vehicle = vehicle_id && (await api.get(`${path}/vehicles/${vehicle_id}`)).data;
  return { ...customer, ...vehicle, car: vehicle && car(vehicle), id: `${customer_id} ${vehicle_id}`, customer_id, vehicle_id, why };
}

/**
 * @param {object} props
 * @param {Record<string, string>} props.typed
 * @param {OnRecord[]} props.found
 * @param {(onRecord: OnRecord) => void} props.onTake
 * @param {() => void} props.onGoOn
 * @param {() => void} props.onClose
 */
export function Duplicates({ typed, found, onTake, onGoOn, onClose }) {
  const act = (/** @type {OnRecord} */ row) =>
    row.why
      ? html`<button type="button" class="primary" autofocus=${row === found[0]} onClick=${() => onTake(row)}>
          ${row.vehicle_id ? "Take this car" : "Take this customer"}
        </button>`
      : html`<button type="button" onClick=${onGoOn}>Enter as new</button>`;
  /** @returns {import("./ui.js").TableColumn} */
  const column = (/** @type {[string, string]} */ [name, label]) =>
    [label, "", (row) => html`<bdi class=${row.why?.includes(name) ? "same" : ""}>${row[name]}</bdi>`];
  return html`<${Dialog} title="On record already?" wide onClose=${onClose}>
    <${Table} columns=${[...Object.entries(LABELS).map(column), ["", "", act]]} rows=${[{ ...typed, id: "typed" }, ...found]} />
  <//>`;
}
