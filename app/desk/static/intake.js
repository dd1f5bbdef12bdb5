/** The intake: a walk-in becomes a ticket, in one form and by keyboard alone. */

import { Problem } from "./api.js";
import { Duplicates, loadDuplicates } from "./duplicates.js";
import { car, fromLocal, money, words } from "./format.js";
import { search, showFound } from "./find.js";
import { useForm, usePolled } from "./hooks.js";
import { Picker } from "./pickers.js";
import { api, explain, go, isDesk, useSession } from "./session.js";
import { Field, Form, notify } from "./ui.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @typedef {typeof EMPTY} Values */
/** @typedef {import("./types").Vehicle} Vehicle */
/** @typedef {import("./find.js").Found} Found */

const EMPTY = {
  ...{ customer_id: "", phone: "", name: "", email: "" },
  ...{ vehicle_id: "", vin: "", plate: "", plate_state: "", car: "", odometer: "" },
  ...{ description: "", promised: "", key_tag: "", advisor_id: "", mechanic_id: "", status: "", jobs: "" },
};
const NEW_CAR = "new";

/** Drafts end with the tab, or when somebody signs out. They hold no token. */
const drafts = sessionStorage; // eslint-disable-line no-restricted-globals -- what api.js keeps there is its token alone
const DRAFT = "mechanic-shop.intake";

/** @param {number} meId @returns {Partial<Values>} What the same person typed before. */
function readDraft(meId) {
  const { by, values } = JSON.parse(drafts.getItem(DRAFT) ?? "{}");
  return by === meId ? values : {};
}

/** @param {Record<string, any>} values Those that are filled in. */
const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value || value === 0));

/** @param {string} text What is no number is sent as it is: the server says what is wrong with it. */
const numberOf = (text) => (/^\s*\d[\d,\s]*$/.test(text) ? Number(text.replace(/\D/g, "")) : text.trim());

/** Return year, make and model of a car as people say it: "2016 Honda Civic". @param {string} text */
export function partsOf(text) {
  const [, year, name = ""] = /^((?:19|20)\d\d\b)?\s*(.*)$/.exec(text.trim()) ?? [];
  const [, make, model] = /^(alfa romeo|aston martin|land rover|\S+)\s*(.*)$/i.exec(name) ?? [];
  return filled({ year: Number(year) || null, make, model });
}

/** @param {Record<string, any>} values */
const listed = (values) => Object.entries(values).map(([name, value]) => `${words(name)}: ${value}`).join(", ");

/** @param {Values} values */
const typedCar = ({ vin, plate, plate_state, car: name }) =>
  filled({ vin: vin.trim(), plate: plate.trim(), plate_state: plate_state.trim(), ...partsOf(name) });

/** Return what is posted. @param {Values} values */
function ticketOf(values) {
  const { customer_id, vehicle_id, name, phone, email, description, key_tag, status } = values;
  const person = filled({ name: name.trim(), phone: phone.trim(), email: email.trim() });
  const isKnown = vehicle_id && vehicle_id !== NEW_CAR;
  const vehicle = isKnown ? {} : typedCar(values);
  return {
    ...(customer_id ? { customer_id: Number(customer_id) } : { customer: person }),
    ...(isKnown && { vehicle_id: Number(vehicle_id) }),
    ...(Object.keys(vehicle).length && { vehicle }),
    ...filled({ description: description.trim(), odometer: numberOf(values.odometer), key_tag: key_tag.trim(), status }),
    ...filled({ promised_at: fromLocal(values.promised), advisor_id: Number(values.advisor_id) }),
  };
}

/** Do what follows a new ticket: give it a mechanic, offer deferred jobs again. What fails is said, the ticket stays. @param {any} ticket @param {Values} values */
async function follow(ticket, { mechanic_id, jobs }) {
  const path = `/service-tickets/${ticket.id}`;
  const revive = (/** @type {string} */ id) => api.post(`${path}/jobs`, { revive_job_id: Number(id), status: "proposed" });
  const results = await Promise.allSettled([
    mechanic_id && api.put(`${path}/assign-mechanic/${mechanic_id}`, undefined),
    ...jobs.split(" ").filter(Boolean).map(revive),
  ]);
  for (const result of results) if (result.status === "rejected") notify(explain(result.reason), { isProblem: true });
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

/** Work that the customer declined on this car before, to be offered again. @param {{ path: string, jobs: string, onJobs: (jobs: string) => void }} props */
function Deferred({ path, jobs, onJobs }) {
  const { data } = usePolled(path, undefined, { seconds: 60 });
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

/** @param {{ parameters: string[] }} props The address may bring values, such as `customer_id=1&vehicle_id=2`. */
export function Intake({ parameters: [query = ""] }) {
  const { me } = useSession();
  const [draft] = useState(() => readDraft(me.id));
  const mine = { ...(me.role === "advisor" && { advisor_id: String(me.id) }), ...(!isDesk(me) && { mechanic_id: String(me.id) }) };
  const initial = { ...EMPTY, ...mine, ...draft, ...Object.fromEntries(new URLSearchParams(query)) };
  const [known, setKnown] = useState(/** @type {{ customer: any, cars: any[] } | null} */ (null));
  const [duplicates, setDuplicates] = useState(/** @type {any[] | null} */ (null));
  const insisted = useRef(/** @type {Record<string, boolean>} */ ({}));
  const next = useRef("phone");
  const screen = useRef(/** @type {HTMLElement | null} */ (null));

  const form = useForm(initial, async (values, key) => {
    try {
      const { data: ticket } = await api.post("/service-tickets", { ...ticketOf(values), ...insisted.current }, { key });
      await follow(ticket, values);
      drafts.removeItem(DRAFT);
      for (const warning of ticket.warnings ?? []) notify(warning, { isProblem: true });
      notify(`Ticket #${ticket.id}: ${car(ticket.vehicle)}`);
      go(`/tickets/${ticket.id}`);
    } catch (error) {
      if (error instanceof Problem && error.slug === "probable-duplicate") {
        error.message = "A customer or a car like this is on record already.";
        setDuplicates(await loadDuplicates(error.document.duplicates));
      }
      throw error;
    }
  });
  const { values, set, bind, errorOf, problem } = form;

  /** Take a customer who is on record, and a car: theirs, the typed one, or the only one. @param {string} id @param {string} [vehicleId] */
  const take = async (id, vehicleId = "") => {
    const [{ data: customer }, { data: cars }] = await Promise.all([
      api.get(`/customers/${id}`),
      api.get(`/customers/${id}/vehicles`, { per_page: 100 }),
    ]);
    const isNew = !cars.length || Object.keys(typedCar(values)).length > 0;
    set({ customer_id: String(id), vehicle_id: vehicleId || (isNew ? NEW_CAR : cars.length === 1 ? String(cars[0].id) : "") });
    setKnown({ customer, cars });
    setDuplicates(null);
    next.current = vehicleId || !cars.length ? "odometer" : "vehicle_id";
  };
  const forget = () => (set({ customer_id: "", vehicle_id: "" }), setKnown(null), (next.current = "phone"));
  const fail = (/** @type {unknown} */ error) => (forget(), notify(explain(error), { isProblem: true }));
  /** @param {import("./find.js").Found} found */
  const pick = ({ group, row }) =>
    (group === "Cars" ? take(row.customer?.id ?? row.customer_id, String(row.id)) : take(row.id)).catch(fail);
  const clear = () => (forget(), set({ ...EMPTY, ...mine }));
  const insist = (/** @type {string} */ flag) => ((insisted.current[flag] = true), setDuplicates(null), form.submit());

  useEffect(() => {
    history.replaceState(null, "", "#/new"); // what the address brought is in the draft from now on
    if (initial.customer_id) take(initial.customer_id, initial.vehicle_id).catch(fail);
  }, []);
  useEffect(() => drafts.setItem(DRAFT, JSON.stringify({ by: me.id, values })), [values]);
  useEffect(() => {
    const inputs = [...(screen.current?.querySelectorAll(`[name=${next.current}]`) ?? [])];
    const input = inputs.find((each) => /** @type {HTMLInputElement} */ (each).checked) ?? inputs[0];
    if (input) /** @type {HTMLElement} */ (input).focus();
  }, [known, values.customer_id]);

  const { data: staff } = usePolled("/mechanics", { per_page: 100 }, { seconds: 300 });
  const nameOf = (/** @type {string} */ role) => (/** @type {import("./types").Mechanic} */ each) =>
    (each.role === "mechanic") === (role === "mechanic") && html`<option key=${each.id} value=${each.id}>${each.name}</option>`;
  /** @param {KeyboardEvent} event */
  const press = (event) => event.key === "Escape" && !event.defaultPrevented && go("/board");
  /** @param {KeyboardEvent} event */
  const send = (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && form.submit(event);
  /** @param {string} name */
  const errorsOf = (name) => errorOf(`customer.${name}`) || errorOf(`vehicle.${name}`);
  /** @param {"phone" | "name" | "vin" | "plate"} name @param {string} label @param {number} shortest @param {string[]} kinds @param {string} [hint] */
  const picker = (name, label, shortest, kinds, hint) => html`<${Picker}
    ...${{ label, hint, shortest, isFree: true, show: showFound, onPick: pick, text: values[name], error: errorsOf(name), input: { name } }}
    search=${(/** @type {string} */ text, /** @type {AbortSignal} */ signal) => search(text, signal, kinds)}
    onText=${(/** @type {string} */ text) => set({ [name]: text })}
    keyOf=${(/** @type {Found} */ { key }) => key}
    groupOf=${(/** @type {Found} */ { group }) => `${group} on record`}
  />`;
  const person = known?.customer;
  const isNewCar = !values.customer_id || values.vehicle_id === NEW_CAR;
  const carError = ["year", "make", "model"].map(errorsOf).join("");
  const deferred = values.customer_id && !isNewCar && values.vehicle_id;

  return html`<section class="intake" ref=${screen} onKeyDown=${press} onInput=${() => (insisted.current = {})}>
    <h1>New ticket</h1>
    <${Form} form=${form} submit="Open the ticket" extra=${html`<button type="button" onClick=${clear}>Clear</button>`}>
      <fieldset class="panel">
        <legend>Customer</legend>
        ${values.customer_id
          ? html`<p class="taken">
              <strong dir="auto">${person?.name ?? "…"}</strong> <span class="quiet">${person?.phone} ${person?.email}</span>
              <button type="button" onClick=${forget}>Another customer</button>
            </p>`
          : html`<div class="row">
              ${picker("phone", "Phone", 4, ["customers"])} ${picker("name", "Name", 2, ["customers", "vehicles"])}
            </div>`}
      </fieldset>
      <fieldset class="panel">
        <legend>Car</legend>
        ${values.customer_id &&
        html`<${Cars} cars=${known?.cars ?? []} chosen=${values.vehicle_id} choose=${(/** @type {string} */ id) => set({ vehicle_id: id, jobs: "" })} />`}
        <div class="row">
          ${isNewCar &&
          html`${picker("vin", "VIN", 17, ["vehicles"], "The ticket takes make and year from it")} ${picker("plate", "Plate", 4, ["vehicles"])}
            <${Field} label="Year, make, model" hint=${listed(partsOf(values.car))} error=${carError}>
              <input dir="auto" placeholder="2016 Honda Civic" ...${bind("car")} />
            <//>`}
          <${Field} label="Odometer" error=${errorOf("odometer")}><input inputmode="numeric" ...${bind("odometer")} /><//>
        </div>
        ${deferred &&
        html`<${Deferred}
          path=${`/customers/${values.customer_id}/vehicles/${deferred}/deferred`}
          jobs=${values.jobs}
          onJobs=${(/** @type {string} */ jobs) => set({ jobs })}
        />`}
      </fieldset>
      <fieldset class="panel">
        <legend>Visit</legend>
        <${Field} label="What is wrong" error=${errorOf("description")} hint="Enter opens the ticket, Shift and Enter begin a line">
          <textarea rows="3" dir="auto" onKeyDown=${send} ...${bind("description")}></textarea>
        <//>
        <div class="row">
          ${isDesk(me) &&
          html`<${Field} label="Promised for" error=${errorOf("promised_at")}><input type="datetime-local" ...${bind("promised")} /><//>`}
          <${Field} label="Key tag" error=${errorOf("key_tag")}><input dir="auto" ...${bind("key_tag")} /><//>
          ${isDesk(me) &&
          html`<${Field} label="Advisor" error=${errorOf("advisor_id")}>
              <select ...${bind("advisor_id")}><option value="">Nobody</option>${staff?.map(nameOf("advisor"))}</select>
            <//>
            <${Field} label="Mechanic">
              <select ...${bind("mechanic_id")}><option value="">Nobody yet</option>${staff?.map(nameOf("mechanic"))}</select>
            <//>`}
          <${Field} label="Begins as" error=${errorOf("status")}>
            <select ...${bind("status")}><option value="">Open ticket</option><option value="estimate">Estimate</option></select>
          <//>
          ${!values.customer_id &&
          html`<${Field} label="E-mail of the customer" error=${errorsOf("email")}><input type="email" ...${bind("email")} /><//>`}
          ${isNewCar && html`<${Field} label="State of the plate" error=${errorsOf("plate_state")}><input ...${bind("plate_state")} /><//>`}
        </div>
      </fieldset>
      ${problem?.slug === "odometer-backwards" &&
      html`<p class="actions"><button type="button" onClick=${() => insist("override")}>It is right: open the ticket all the same</button></p>`}
    <//>
  </section>
  ${duplicates &&
  html`<${Duplicates} typed=${values} found=${duplicates} onTake=${(/** @type {any} */ { customer, vehicle }) => take(customer.id, vehicle && String(vehicle.id)).catch(fail)}
    onGoOn=${() => insist("allow_duplicate")} onClose=${() => setDuplicates(null)} />`}`;
}
