/** The intake: a walk-in becomes a ticket, in one form and by keyboard alone. */

import { Problem } from "./api.js";
import { Duplicates, loadDuplicates } from "./duplicates.js";
import { AS_FOUND, search } from "./find.js";
import { car, money } from "./format.js";
import { useForm, usePolled, useStaff } from "./hooks.js";
import * as intake from "./intake_values.js";
import { EMPTY, NEW_CAR } from "./intake_values.js";
import { Picker } from "./pickers.js";
import { api, explain, go, isDesk, useSession } from "./session.js";
import { Field, Form, notify, Select, Text } from "./ui.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {import("./duplicates.js").OnRecord} OnRecord */
/** @typedef {import("./find.js").Found} Found */
/** @typedef {import("./types").Vehicle} Vehicle */

/**
 * What is chosen of a few things, each with its id, a title and a detail.
 *
 * @param {{ label: string, type: "radio" | "checkbox", of: any[][], chosen: string[], choose: (id: string) => void }} props
 */
const Choices = ({ label, type, of, chosen, choose }) => html`<fieldset class="choices">
  <legend>${label}</legend>
  ${of.map(
    ([id, title, detail]) => html`<label key=${id}>
      <input type=${type} name=${label} checked=${chosen.includes(String(id))} onChange=${() => choose(String(id))} />
      <bdi>${title}</bdi> <bdi class="quiet">${detail}</bdi>
    </label>`,
  )}
</fieldset>`;

/** Work that the customer declined on this car before. @param {{ vehicle: Vehicle, jobs: string, onJobs: (jobs: string) => void }} props */
function Deferred({ vehicle, jobs, onJobs }) {
  const { data } = usePolled(`/customers/${vehicle.customer_id}/vehicles/${vehicle.id}/deferred`, undefined, { seconds: 60 });
  const chosen = intake.idsOf(jobs);
  const toggle = (/** @type {string} */ id) =>
    onJobs((chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]).join(" "));
  const of = data?.map((/** @type {import("./types").DeferredJob} */ job) => [job.job_id, job.name, money(job.total_now)]);
  return of?.length > 0 && html`<${Choices} label="Declined before: offer again" type="checkbox" ...${{ of, chosen, choose: toggle }} />`;
}

/** @param {{ parameters: string[] }} props The address may bring values, such as `customer_id=1&vehicle_id=2`. */
export const Intake = ({ parameters: [query = ""] }) => html`<${Begun} key=${query} query=${query} />`;

/** @param {{ query: string }} props */
function Begun({ query }) {
  const { me } = useSession();
  const blank = { ...EMPTY, [isDesk(me) ? "advisor_id" : "mechanic_id"]: String(me.id) };
  const [initial] = useState(() => {
    const brought = Object.fromEntries(new URLSearchParams(query));
    return { ...blank, ...intake.readDraft(me.id), ...(query && { customer_id: "", vehicle_id: "", jobs: "", ...brought }) };
  });
  const [known, setKnown] = useState(/** @type {{ customer: import("./types").Customer, cars: Vehicle[] } | null} */ (null));
  const [duplicates, setDuplicates] = useState(/** @type {OnRecord[] | null} */ (null));
  const staff = useStaff().filter(({ active }) => active);
  const insisted = useRef(/** @type {Record<string, boolean>} */ ({}));
  const screen = useRef(/** @type {HTMLElement | null} */ (null));
  const next = useRef("");

  const form = useForm(initial, async (values, key) => {
    try {
      const { data: ticket } = await api.post("/service-tickets", { ...intake.ticketOf(values), ...insisted.current }, { key });
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
  const choose = (/** @type {string} */ vehicle_id) => set({ vehicle_id, jobs: "" });
  const setJobs = (/** @type {string} */ jobs) => set({ jobs });
  const insist = (/** @type {string} */ flag) => ((insisted.current[flag] = true), setDuplicates(null), form.submit());

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
    ...${{ ...AS_FOUND, label, hint, shortest, isFree: true, error: errorOf(name), input: { name }, text: values[name] }}
    search=${(/** @type {string} */ text, /** @type {AbortSignal} */ signal) => search(text, signal, ["customers", "vehicles"])}
    onText=${(/** @type {string} */ text) => set({ [name]: text })}
    onPick=${(/** @type {Found} */ { group, row }) => (group === "Cars" ? take(row.customer.id, row.id) : take(row.id))}
  />`;
  const { customer, cars = [] } = known ?? {};
  const vehicle = cars.find(({ id }) => String(id) === values.vehicle_id);
  const carHint = Object.values(intake.partsOf(values.car)).join(" · ");
  const lastReading = vehicle?.odometer ? `Last: ${vehicle.odometer.toLocaleString()}` : "";
  const mechanics = staff.filter((each) => !isDesk(each));
  const isNewCar = !values.customer_id || values.vehicle_id === NEW_CAR;
  next.current = !known ? "phone" : vehicle ? "odometer" : isNewCar ? "vin" : "Which car";
  const ofCars = [...cars.map((each) => [each.id, car(each), each.plate ?? each.vin]), [NEW_CAR, "Another car"]];
  const buttons = html`<button type="button" onClick=${clear}>Clear</button>
    ${form.problem?.slug === "odometer-backwards" &&
    html`<button type="button" onClick=${() => insist("override")}>It is right: open the ticket</button>`}`;

  return html`<section class="intake" ref=${screen} onKeyDown=${press} onInput=${() => (insisted.current = {})}>
      <h1>New ticket</h1>
      <${Form} form=${form} submit="Open the ticket" extra=${buttons}>
        <fieldset class="panel">
          <legend>Customer</legend>
          ${values.customer_id
            ? html`<p class="taken">
                <strong dir="auto">${customer?.name ?? "…"}</strong> <bdi class="quiet">${customer?.phone} ${customer?.email}</bdi>
                <button type="button" onClick=${forget}>Another customer</button>
              </p>`
            : html`<div class="row">${picker("phone", "Phone", 4)} ${picker("name", "Name", 2)}</div>`}
        </fieldset>
        <fieldset class="panel">
          <legend>Car</legend>
          ${cars.length > 0 && html`<${Choices} label="Which car" type="radio" of=${ofCars} chosen=${[values.vehicle_id]} choose=${choose} />`}
          <div class="row">
            ${isNewCar &&
            html`${picker("vin", "VIN", 17, "Gives make and year")} ${picker("plate", "Plate", 4)}
              <${Text} form=${fields} name="car" label="Year, make, model" placeholder="2016 Honda Civic" hint=${carHint}
                error=${["year", "make", "model"].map(errorOf).join(" ").trim()} />`}
            <${Text} form=${fields} name="odometer" label="Odometer" inputmode="numeric" hint=${lastReading} />
          </div>
          ${vehicle && html`<${Deferred} vehicle=${vehicle} jobs=${values.jobs} onJobs=${setJobs} />`}
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
      onGoOn=${() => insist("allow_duplicate")}
      onClose=${() => setDuplicates(null)}
    />`}`;
}
