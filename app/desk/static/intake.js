/** The intake: a walk-in becomes a ticket, in one form and by keyboard alone. */

import { Problem } from "./api.js";
import { Duplicates, loadDuplicates } from "./duplicates.js";
import { search, showFound } from "./find.js";
import { car, money } from "./format.js";
import { useForm, usePolled } from "./hooks.js";
import * as intake from "./intake_values.js";
import { EMPTY, NEW_CAR, partsOf } from "./intake_values.js";
import { Picker } from "./pickers.js";
import { api, explain, go, isDesk, useSession } from "./session.js";
import { Field, Form, notify } from "./ui.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./duplicates.js").OnRecord} OnRecord */
/** @typedef {import("./find.js").Found} Found */
/** @typedef {import("./types").Vehicle} Vehicle */

/** Say a refusal as people at the counter would. @param {Problem} problem */
function reword(problem) {
  const { odometer } = problem.document;
  if (problem.slug === "probable-duplicate") problem.message = "A customer or a car like this is on record already.";
  if (problem.slug === "odometer-backwards") problem.message = `The last reading was ${odometer.toLocaleString()}.`;
}

/** The cars of a customer who is on record. @param {{ cars: Vehicle[], chosen: string, choose: (id: string) => void }} props */
function Cars({ cars, chosen, choose }) {
  const ids = [...cars.map(({ id }) => String(id)), NEW_CAR];
  const option = (/** @type {string} */ id, /** @type {number} */ index) => {
    const vehicle = cars[index];
    return html`<label key=${id}>
      <input type="radio" name="vehicle_id" checked=${id === chosen} onChange=${() => choose(id)} />
      ${vehicle ? html`<bdi>${car(vehicle)}</bdi> <bdi class="quiet">${vehicle.plate ?? vehicle.vin}</bdi>` : "Another car"}
    </label>`;
  };
  return html`<div role="radiogroup" aria-label="Which car" class="choices">${ids.map(option)}</div>`;
}

/**
 * Work that the customer declined on this car before, to be offered again.
 *
 * @param {{ vehicle: Vehicle, jobs: string, onJobs: (jobs: string) => void }} props
 */
function Deferred({ vehicle, jobs, onJobs }) {
  const { data } = usePolled(`/customers/${vehicle.customer_id}/vehicles/${vehicle.id}/deferred`, undefined, { seconds: 60 });
  const chosen = new Set(jobs.split(" ").filter(Boolean));
  const toggle = (/** @type {string} */ id) => {
    if (!chosen.delete(id)) chosen.add(id);
    onJobs([...chosen].join(" "));
  };
  const option = (/** @type {import("./types").DeferredJob} */ { job_id, name, total_now }) => html`<label key=${job_id}>
    <input type="checkbox" checked=${chosen.has(String(job_id))} onChange=${() => toggle(String(job_id))} />
    <bdi>${name}</bdi> <span class="quiet">${money(total_now)}</span>
  </label>`;
  if (!data?.length) return null;
  return html`<fieldset class="choices"><legend>Declined before: offer again</legend>${data.map(option)}</fieldset>`;
}

/** @param {import("./types").Me} me What stands in the form at first. */
const startOf = (me) => ({
  ...EMPTY,
  ...(me.role === "advisor" && { advisor_id: String(me.id) }),
  ...(me.role === "mechanic" && { mechanic_id: String(me.id) }),
});

/** @param {{ parameters: string[] }} props The address may bring values, such as `customer_id=1&vehicle_id=2`. */
export function Intake({ parameters: [query = ""] }) {
  const { me } = useSession();
  const [initial] = useState(() => ({ ...startOf(me), ...intake.readDraft(me.id) }));
  const [known, setKnown] = useState(/** @type {{ customer: import("./types").Customer, cars: Vehicle[] } | null} */ (null));
  const [duplicates, setDuplicates] = useState(/** @type {OnRecord[] | null} */ (null));
  const { data: staff } = usePolled("/mechanics", { per_page: 100 }, { seconds: 300 });
  const insisted = useRef(/** @type {Record<string, boolean>} */ ({}));
  const next = useRef("phone");
  const screen = useRef(/** @type {HTMLElement | null} */ (null));

  const form = useForm(initial, async (values, key) => {
    try {
      const { data: ticket } = await api.post("/service-tickets", { ...intake.ticketOf(values), ...insisted.current }, { key });
      const failed = await intake.follow(ticket.id, values);
      intake.dropDraft();
      for (const text of [...(ticket.warnings ?? []), ...failed.map(explain)]) notify(text, { isProblem: true });
      notify(`Ticket #${ticket.id}: ${car(ticket.vehicle)}`);
      go(`/tickets/${ticket.id}`);
    } catch (error) {
      if (error instanceof Problem) reword(error);
      if (error instanceof Problem && error.document.duplicates) setDuplicates(await loadDuplicates(error.document.duplicates));
      throw error;
    }
  });
  const { values, set, bind, errorOf, problem } = form;

  /** Take a customer who is on record, and a car of theirs. @param {number | string} id @param {number | string} [vehicleId] */
  const take = async (id, vehicleId) => {
    const path = `/customers/${id}`;
    const [customer, cars] = await Promise.all([api.get(path), api.get(`${path}/vehicles`, { per_page: 100 })]);
    const vehicle_id = String(vehicleId || intake.carMeant(cars.data, values));
    set({ customer_id: String(id), vehicle_id });
    setKnown({ customer: customer.data, cars: cars.data });
    setDuplicates(null);
    next.current = vehicle_id && vehicle_id !== NEW_CAR ? "odometer" : cars.data.length ? "vehicle_id" : "vin";
  };
  const forget = () => (set({ customer_id: "", vehicle_id: "", jobs: "" }), setKnown(null), (next.current = "phone"));
  const fail = (/** @type {unknown} */ error) => (forget(), notify(explain(error), { isProblem: true }));
  const pick = (/** @type {Found} */ { group, row }) =>
    (group === "Cars" ? take(row.customer_id, row.id) : take(row.id)).catch(fail);
  const clear = () => (forget(), set(startOf(me)));
  const choose = (/** @type {string} */ vehicle_id) => set({ vehicle_id, jobs: "" });
  const setJobs = (/** @type {string} */ jobs) => set({ jobs });
  const insist = (/** @type {string} */ flag) => ((insisted.current[flag] = true), setDuplicates(null), form.submit());

  /** Take over what the address brings; from then on it is in the draft. */
  const begin = () => {
    const brought = Object.fromEntries(new URLSearchParams(query));
    if (query) set({ customer_id: "", vehicle_id: "", ...brought });
    history.replaceState(null, "", "#/new");
    const { customer_id, vehicle_id } = query ? brought : values;
    if (customer_id) take(customer_id, vehicle_id).catch(fail);
  };
  const latest = useRef(begin);
  latest.current = begin;
  useEffect(() => latest.current(), [query]);
  useEffect(() => intake.keepDraft(me.id, values), [me.id, values]);
  useLayoutEffect(() => {
    const named = screen.current?.querySelectorAll(`[name=${next.current}]`) ?? [];
    const inputs = /** @type {HTMLInputElement[]} */ ([...named]);
    (inputs.find(({ checked }) => checked) ?? inputs[0])?.focus();
  }, [known, values.customer_id]);

  const press = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && !event.defaultPrevented && go("");
  const send = (/** @type {KeyboardEvent} */ event) =>
    event.key === "Enter" && !event.shiftKey && !event.isComposing && form.submit(event);
  /** What is wrong with a field, wherever it stands in what is posted. @param {string} name */
  const wrong = (name) => {
    const names = { car: ["year", "make", "model"], promised: ["promised_at"] }[name] ?? [name];
    return names.flatMap((each) => ["", "customer.", "vehicle."].map((where) => errorOf(where + each))).join(" ").trim();
  };
  /** @param {"phone" | "name" | "vin" | "plate"} name @param {string} label @param {number} shortest @param {string} [hint] */
  const picker = (name, label, shortest, hint) => html`<${Picker}
    ...${{ label, hint, shortest, isFree: true, show: showFound, onPick: pick, error: wrong(name), input: { name } }}
    ...${{ text: values[name], onText: (/** @type {string} */ text) => set({ [name]: text }) }}
    search=${(/** @type {string} */ text, /** @type {AbortSignal} */ signal) => search(text, signal, ["customers", "vehicles"])}
    keyOf=${(/** @type {Found} */ { key }) => key}
    groupOf=${(/** @type {Found} */ { group }) => `${group} on record`}
  />`;
  /** @param {keyof intake.Values} name @param {string} label @param {Record<string, any>} [attributes] @param {string} [hint] */
  const field = (name, label, attributes, hint) => html`<${Field} label=${label} hint=${hint} error=${wrong(name)}>
    <input dir="auto" ...${attributes} ...${bind(name)} />
  <//>`;
  /** @param {keyof intake.Values} name @param {string} label @param {string} none @param {{ id: number | string, name: string }[]} of */
  const choice = (name, label, none, of) => html`<${Field} label=${label} error=${wrong(name)}>
    <select ...${bind(name)}>
      <option value="">${none}</option>
      ${of.map((each) => html`<option key=${each.id} value=${each.id}>${each.name}</option>`)}
    </select>
  <//>`;
  /** @param {(role: string) => boolean} isWanted @returns {{ id: number, name: string }[]} */
  const staffOf = (isWanted) => (staff ?? []).filter((/** @type {{ role: string }} */ { role }) => isWanted(role));
  const person = known?.customer;
  const isNewCar = !values.customer_id || values.vehicle_id === NEW_CAR;
  const vehicle = known?.cars.find(({ id }) => String(id) === values.vehicle_id);
  const last = vehicle?.odometer ? `Last: ${vehicle.odometer.toLocaleString()}` : "";
  const isBackwards = problem?.slug === "odometer-backwards";
  const buttons = html`<button type="button" onClick=${clear}>Clear</button>
    ${isBackwards && html`<button type="button" onClick=${() => insist("override")}>It is right: open the ticket</button>`}`;

  return html`<section class="intake" ref=${screen} onKeyDown=${press} onInput=${() => (insisted.current = {})}>
      <h1>New ticket</h1>
      <${Form} form=${form} submit="Open the ticket" extra=${buttons}>
        <fieldset class="panel">
          <legend>Customer</legend>
          ${values.customer_id
            ? html`<p class="taken">
                <strong dir="auto">${person?.name ?? "…"}</strong> <bdi class="quiet">${person?.phone} ${person?.email}</bdi>
                <button type="button" onClick=${forget}>Another customer</button>
              </p>`
            : html`<div class="row">
                ${picker("phone", "Phone", 4)} ${picker("name", "Name", 2)}
              </div>`}
        </fieldset>
        <fieldset class="panel">
          <legend>Car</legend>
          ${known?.cars.length && html`<${Cars} cars=${known.cars} chosen=${values.vehicle_id} choose=${choose} />`}
          <div class="row">
            ${isNewCar &&
            html`${picker("vin", "VIN", 17, "Gives make and year")}
              ${picker("plate", "Plate", 4)}
              ${field("car", "Year, make, model", { placeholder: "2016 Honda Civic" }, Object.values(partsOf(values.car)).join(" · "))}`}
            ${field("odometer", "Odometer", { inputmode: "numeric" }, last)}
          </div>
          ${vehicle && html`<${Deferred} vehicle=${vehicle} jobs=${values.jobs} onJobs=${setJobs} />`}
        </fieldset>
        <fieldset class="panel">
          <legend>Visit</legend>
          <${Field} label="What is wrong" error=${errorOf("description")} hint="Enter opens the ticket, Shift and Enter begin a line">
            <textarea rows="3" dir="auto" onKeyDown=${send} ...${bind("description")}></textarea>
          <//>
          <div class="row">
            ${isDesk(me) && field("promised", "Promised for", { type: "datetime-local" })}
            ${field("key_tag", "Key tag")}
            ${isDesk(me) && choice("advisor_id", "Advisor", "Nobody", staffOf((role) => role !== "mechanic"))}
            ${isDesk(me) && choice("mechanic_id", "Mechanic", "Nobody yet", staffOf((role) => role === "mechanic"))}
            ${choice("status", "Begins as", "Open ticket", [{ id: "estimate", name: "Estimate" }])}
            ${!values.customer_id && field("email", "E-mail of the customer")}
            ${isNewCar && field("plate_state", "State of the plate")}
          </div>
        </fieldset>
      <//>
    </section>
    ${duplicates &&
    html`<${Duplicates}
      ...${{ typed: values, found: duplicates }}
      onTake=${(/** @type {OnRecord} */ onRecord) => take(onRecord.customer.id, onRecord.vehicle?.id).catch(fail)}
      onGoOn=${() => insist("allow_duplicate")}
      onClose=${() => setDuplicates(null)}
    />`}`;
}
