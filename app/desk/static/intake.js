/** The intake: a walk-in becomes a ticket, in one form and by keyboard alone. */

import { Problem } from "./api.js";
import { search } from "./find.js";
import { car, money } from "./format.js";
import { useForm, usePolled, useStaff } from "./hooks.js";
import * as intake from "./intake_values.js";
import { Picker } from "./pickers.js";
import { api, explain, go, isDesk, useSession } from "./session.js";
import { Choices, Dialog, Field, Form, notify, Select, Table, Text } from "./ui.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {{ customer_id: number, vehicle_id: number | null, why: string[] }} Duplicate */
/** @typedef {Duplicate & { id: string, [field: string]: any }} OnRecord */
/** @typedef {import("./find.js").Found} Found */
/** @typedef {import("./types").DeferredJob} DeferredJob */
/** @typedef {import("./types").Vehicle} Vehicle */

/** A choice with its title and a detail. @param {string | number} id @param {string} title @param {string | null} detail */
const choiceOf = (id, title, detail) => [String(id), html`<bdi>${title}</bdi> <bdi class="quiet">${detail}</bdi>`];

/**
 * Work that the customer declined on this car before.
 *
 * @param {{ vehicle: Vehicle, jobs: string, set: (changes: { jobs: string }) => void }} props
 */
function Deferred({ vehicle, jobs, set }) {
  const { data } = usePolled(`/customers/${vehicle.customer_id}/vehicles/${vehicle.id}/deferred`, undefined, { seconds: 60 });
  const chosen = intake.idsOf(jobs);
  const toggle = (/** @type {string} */ id) =>
    set({ jobs: (chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]).join(" ") });
  const of = data?.map((/** @type {DeferredJob} */ job) => choiceOf(job.job_id, job.name, money(job.total_now)));
  return of?.length > 0 && html`<${Choices} legend="Declined before: offer again" type="checkbox" ...${{ of, chosen, choose: toggle }} />`;
}

/** @param {{ parameters: string[] }} props The address may bring values, such as `customer_id=1&vehicle_id=2`. */
export const Intake = ({ parameters: [query = ""] }) => html`<${Begun} key=${query} query=${query} />`;

/** @param {{ query: string }} props */
function Begun({ query }) {
  const { me } = useSession();
  const blank = { ...intake.EMPTY, [isDesk(me) ? "advisor_id" : "mechanic_id"]: String(me.id) };
  const [initial] = useState(() => {
    const brought = Object.fromEntries(new URLSearchParams(query));
    return { ...blank, ...intake.readDraft(me.id), ...(query && { customer_id: "", vehicle_id: "", jobs: "", ...brought }) };
  });
  const [known, setKnown] = useState(/** @type {{ customer: import("./types").Customer, cars: Vehicle[] } | null} */ (null));
  const [duplicates, setDuplicates] = useState(/** @type {OnRecord[] | null} */ (null));
  const staff = useStaff().filter(({ active }) => active);
  const screen = useRef(/** @type {HTMLElement | null} */ (null));
  const next = useRef("");

  const form = useForm(initial, async (values, key, flags) => {
    try {
      const { data: ticket } = await api.post("/service-tickets", { ...intake.ticketOf(values), ...flags }, { key });
      const failed = await intake.follow(ticket.id, values);
      intake.dropDraft(me.id);
      for (const text of [...(ticket.warnings ?? []), ...failed.map(explain)]) notify(text, { isProblem: true });
      notify(`Ticket #${ticket.id}: ${car(ticket.vehicle)}`);
      go(`/tickets/${ticket.id}`);
    } catch (error) {
      if (error instanceof Problem && error.document.duplicates) setDuplicates(await loadDuplicates(error.document.duplicates));
      throw error;
    }
  });
  const { values, set } = form;

  /** Take a customer who is on record, and a car of theirs. @param {number | string} id @param {number | string | null} [vehicleId] */
  const take = async (id, vehicleId) => {
    const path = `/customers/${id}`;
    try {
      const [customer, cars] = await Promise.all([api.get(path), api.get(`${path}/vehicles`, { per_page: 100 })]);
      set({ customer_id: String(id), vehicle_id: String(vehicleId || intake.carMeant(cars.data, values)) });
      setKnown({ customer: customer.data, cars: cars.data });
      setDuplicates(null);
    } catch (error) {
      forget();
      notify(explain(error), { isProblem: true });
    }
  };
  const forget = () => (set({ customer_id: "", vehicle_id: "", jobs: "" }), setKnown(null));
  const clear = () => (forget(), set(blank));

  const begin = useRef(() => {
    history.replaceState(null, "", "#/new"); // from here on it is in the draft
    if (initial.customer_id) void take(initial.customer_id, initial.vehicle_id);
  });
  useEffect(() => begin.current(), []);
  useEffect(() => intake.keepDraft(me.id, values), [me.id, values]);
  useLayoutEffect(() => {
    const input = screen.current?.querySelector(`[name="${next.current}"]`);
    /** @type {HTMLElement | null | undefined} */ (input)?.focus();
  }, [known]);

  const press = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && !event.defaultPrevented && go("");
  const send = (/** @type {KeyboardEvent} */ event) =>
    event.key === "Enter" && !event.shiftKey && !event.isComposing && form.submit(event);
  /** What is wrong with a field, wherever it stands in what is posted. @param {string} name */
  const errorOf = (name) => ["", "customer.", "vehicle."].map((where) => form.errorOf(where + name)).join(" ").trim();
  const fields = { ...form, errorOf };
  /** @param {"phone" | "name" | "vin" | "plate"} name @param {string} label @param {number} shortest @param {string} [hint] */
  const picker = (name, label, shortest, hint) => html`<${Picker}
    ...${{ label, hint, shortest, isFree: true, error: errorOf(name), input: { name }, text: values[name] }}
    search=${(/** @type {string} */ text, /** @type {AbortSignal} */ signal) => search(text, signal, ["customers", "vehicles"])}
    onText=${(/** @type {string} */ text) => set({ [name]: text })}
    onPick=${(/** @type {Found} */ { group, row }) => (group === "Cars" ? take(row.customer.id, row.id) : take(row.id))}
  />`;
  const { customer, cars = [] } = known ?? {};
  const vehicle = cars.find(({ id }) => String(id) === values.vehicle_id);
  const carHint = Object.values(intake.partsOf(values.car)).join(" · ");
  const lastReading = vehicle?.odometer ? `Last: ${vehicle.odometer.toLocaleString()}` : "";
  const mechanics = staff.filter((each) => !isDesk(each));
  const isNewCar = !values.customer_id || values.vehicle_id === intake.NEW_CAR;
  next.current = !known ? "phone" : vehicle ? "odometer" : isNewCar ? "vin" : "Which car";
  const ofCars = [...cars.map((each) => choiceOf(each.id, car(each), each.plate ?? each.vin)), [intake.NEW_CAR, "Another car"]];
  return html`<section class="intake" ref=${screen} onKeyDown=${press}>
      <h1>New ticket</h1>
      <${Form} form=${form} submit="Open the ticket" extra=${html`<button type="button" onClick=${clear}>Clear</button>`}>
        <fieldset class="panel">
          <legend>Customer</legend>
          ${values.customer_id
            ? html`<p class="flow">
                <strong dir="auto">${customer?.name ?? "…"}</strong> <bdi class="quiet">${customer?.phone} ${customer?.email}</bdi>
                <button type="button" onClick=${forget}>Another customer</button>
              </p>`
            : html`<div class="row">${picker("phone", "Phone", 4)} ${picker("name", "Name", 2)}</div>`}
        </fieldset>
        <fieldset class="panel">
          <legend>Car</legend>
          ${cars.length > 0 &&
          html`<${Choices} legend="Which car" name="Which car" of=${ofCars} chosen=${values.vehicle_id}
            choose=${(/** @type {string} */ vehicle_id) => set({ vehicle_id, jobs: "" })} />`}
          <div class="row">
            ${isNewCar &&
            html`${picker("vin", "VIN", 17, "Gives make and year")} ${picker("plate", "Plate", 4)}
              <${Text} form=${fields} name="car" label="Year, make, model" placeholder="2016 Honda Civic" hint=${carHint}
                error=${["year", "make", "model"].map(errorOf).join(" ").trim()} />`}
            <${Text} form=${fields} name="odometer" label="Odometer" inputmode="numeric" hint=${lastReading} />
          </div>
          ${vehicle && html`<${Deferred} vehicle=${vehicle} jobs=${values.jobs} set=${set} />`}
        </fieldset>
        <fieldset class="panel">
          <legend>Visit</legend>
          <${Field} label="What is wrong" error=${errorOf("description")} hint="Enter opens the ticket, Shift and Enter begin a line">
            <textarea rows="3" dir="auto" onKeyDown=${send} ...${form.bind("description")}></textarea>
          <//>
          <div class="row">
            ${isDesk(me) && html`<${Text} form=${fields} name="promised_at" label="Promised for" type="datetime-local" />`}
            <${Text} form=${fields} name="key_tag" label="Key tag" />
            ${isDesk(me) &&
            html`<${Select} form=${fields} name="advisor_id" label="Advisor" none="Nobody" of=${staff.filter(isDesk)} />
              <${Select} form=${fields} name="mechanic_id" label="Mechanic" none="Nobody yet" of=${mechanics} />`}
            <${Select} form=${fields} name="status" label="Begins as" none="Open ticket" of=${["estimate"]} />
            ${!values.customer_id && html`<${Text} form=${fields} name="email" label="E-mail of the customer" />`}
            ${isNewCar && html`<${Text} form=${fields} name="plate_state" label="State of the plate" />`}
          </div>
        </fieldset>
      <//>
    </section>
    ${duplicates &&
    html`<${Duplicates}
      ...${{ typed: values, found: duplicates }}
      onTake=${(/** @type {OnRecord} */ { customer_id, vehicle_id }) => take(customer_id, vehicle_id)}
      onGoOn=${() => (setDuplicates(null), form.insist("allow_duplicate"))}
      onClose=${() => setDuplicates(null)}
    />`}`;
}

/** What is compared of a customer or a car that may be on record already. */
const LABELS = { name: "Name", phone: "Phone", email: "E-mail", car: "Car", plate: "Plate", vin: "VIN" };

/**
 * Load what may be on record already; who is alike by themself and by a car is there once, with the car.
 *
 * @param {Duplicate[]} duplicates
 */
function loadDuplicates(duplicates) {
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
 * What may be on record already, below what was typed: one of them is taken, or the new one entered all the same.
 *
 * @param {object} props
 * @param {Record<string, string>} props.typed
 * @param {OnRecord[]} props.found
 * @param {(onRecord: OnRecord) => void} props.onTake
 * @param {() => void} props.onGoOn
 * @param {() => void} props.onClose
 */
function Duplicates({ typed, found, onTake, onGoOn, onClose }) {
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
