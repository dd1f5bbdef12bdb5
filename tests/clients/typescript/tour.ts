// The README's tour, from the first sign-in to the receipt, by a client that is generated from the OpenAPI document.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/api.js";
import { duplicatesOf } from "./problems.js";

type Schemas = components["schemas"];
type Answer<T> = { data?: T; error?: unknown; response: Response };

const baseUrl = process.env.SHOP ?? "http://127.0.0.1:5000";
// Several values of a parameter are written with commas between them, as the document says.
const querySerializer = { array: { style: "form", explode: false } } as const;
const anyone = createClient<paths>({ baseUrl, querySerializer });

function signedInWith({ token }: Schemas["Token"]) {
  return createClient<paths>({ baseUrl, querySerializer, headers: { Authorization: `Bearer ${token}` } });
}

function good<T>({ data, error, response }: Answer<T>): T {
  assert(response.ok && data !== undefined, `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data;
}

function refused(answer: Answer<unknown>, status: number): Schemas["Problem"] {
  assert.equal(answer.response.status, status);
  return answer.error as Schemas["Problem"];
}

async function signInAsStaff(email: string, password: string) {
  return signedInWith(good(await anyone.POST("/mechanics/login", { body: { email, password } })));
}

// An admin hires a mechanic and a service advisor.
const admin = await signInAsStaff("admin@example.com", "wrench-and-socket");
const hired: Schemas["NewMechanic"] = { name: "Nina Park", email: "nina@example.com", password: "a torque wrench" };
const nina = good(await admin.POST("/mechanics", { body: hired }));
const desk: Schemas["NewMechanic"] = { name: "Sam Reyes", email: "sam@example.com", password: "the front desk", role: "advisor" };
const sam = good(await admin.POST("/mechanics", { body: desk }));
assert.equal(refused(await admin.POST("/mechanics", { body: desk }), 409).type, "/problems/email-taken");

// A customer signs up and adds a car; sent twice with a key, it is done once.
const signUp: Schemas["NewCustomer"] = { name: "Robin Lee", email: "robin@example.com", password: "blue hatchback", phone: "(212) 555-0164" };
const key = { "Idempotency-Key": crypto.randomUUID() };
const robin = good(await anyone.POST("/customers", { body: signUp, params: { header: key } }));
const again = good(await anyone.POST("/customers", { body: signUp, params: { header: key } }));
assert.equal(again.id, robin.id);
const credentials = { email: "robin@example.com", password: "blue hatchback" };
const customer = signedInWith(good(await anyone.POST("/customers/login", { body: credentials })));
const car = good(
  await customer.POST("/customers/{customer_id}/vehicles", {
    params: { path: { customer_id: robin.id } },
    body: { vin: "1HGCM82633A004352", plate: "7KLM 204", model: "Accord" },
  }),
);
assert.equal(car.make, "Honda");

// The mechanic opens a quote and is assigned to it; a second one joins and leaves.
const mechanic = await signInAsStaff("nina@example.com", "a torque wrench");
const advisor = await signInAsStaff("sam@example.com", "the front desk");
const opened = good(
  await mechanic.POST("/service-tickets", {
    body: { customer_id: robin.id, vehicle_id: car.id, description: "Squeals when braking", odometer: 98400, status: "estimate" },
  }),
);
const path = { ticket_id: opened.id };
good(await mechanic.PUT("/service-tickets/{ticket_id}/assign-mechanic/{mechanic_id}", { params: { path: { ...path, mechanic_id: nina.id } } }));
good(await advisor.PUT("/service-tickets/{ticket_id}/edit", { params: { path }, body: { add_mechanic_ids: [sam.id] } }));
const left = good(await advisor.PUT("/service-tickets/{ticket_id}/edit", { params: { path }, body: { remove_mechanic_ids: [sam.id] } }));
assert.deepEqual(left.mechanics.map(({ name }) => name), ["Nina Park"]);

// A part goes on the ticket, then two of it; the work is added, and ten percent come off.
const part = good(
  await advisor.POST("/inventory", { body: { name: "Brake pads, rear", price: "50.00", sku: "BRK-PAD-R", quantity_on_hand: 6 } }),
);
const used = { ...path, part_id: part.id };
good(await mechanic.PUT("/service-tickets/{ticket_id}/add-part/{part_id}", { params: { path: used } }));
good(await mechanic.PUT("/service-tickets/{ticket_id}/add-part/{part_id}", { params: { path: used }, body: { quantity: 2 } }));
const work: Schemas["NewLaborLine"] = { description: "Replace rear pads", hours: "1.7" };
good(await mechanic.POST("/service-tickets/{ticket_id}/labor", { params: { path }, body: work }));
const quoted = await advisor.PUT("/service-tickets/{ticket_id}/edit", { params: { path }, body: { discount_percent: 10 } });
assert.deepEqual(good(quoted).totals, {
  parts: "100.00", labor: "204.00", fees: "0.00", discount: "30.40", supplies: "10.20", tax: "15.61", total: "299.41", paid: "0.00", balance: "299.41",
});

// Two screens: the one that has not seen the discount learns that it is stale.
const stale = { "If-Match": `"${left.version}-x"` };
const late = await advisor.PUT("/service-tickets/{ticket_id}/edit", { params: { path, header: stale }, body: { description: "Lost?" } });
refused(late, 412);

// The customer sees exactly that ticket, and authorises exactly that amount.
const mine = good(await customer.GET("/customers/mytickets"));
assert.deepEqual(mine.map(({ id, status }) => [id, status]), [[opened.id, "estimate"]]);
const word: Schemas["NewAuthorization"] = { decision: "approved", method: "online", amount: "299.41" };
good(await customer.POST("/service-tickets/{ticket_id}/authorizations", { params: { path }, body: word }));

// The work is done, the invoice takes the next number, and the customer pays, in two parts.
for (const status of ["in_progress", "completed"] as const satisfies readonly Schemas["TicketStatus"][]) {
  good(await mechanic.PUT("/service-tickets/{ticket_id}/status", { params: { path }, body: { status } }));
}
good(await advisor.POST("/service-tickets/{ticket_id}/invoice", { params: { path } }));
for (const [amount, method] of [["200.00", "card"], ["99.41", "cash"]] as const) {
  good(await advisor.POST("/service-tickets/{ticket_id}/payments", { params: { path }, body: { kind: "payment", amount, method } }));
}
const receipt = good(await customer.GET("/service-tickets/{ticket_id}/invoice", { params: { path } }));
assert.deepEqual([receipt.totals.balance, receipt.bill_to.name], ["0.00", "Robin Lee"]);
const pdf = await customer.GET("/service-tickets/{ticket_id}/invoice.pdf", { params: { path }, parseAs: "arrayBuffer" });
assert.equal(new TextDecoder().decode((good(pdf) as unknown as ArrayBuffer).slice(0, 4)), "%PDF");
const history = good(await advisor.GET("/service-tickets/{ticket_id}/history", { params: { path, query: { limit: 100 } } }));
assert(history.some(({ what, after }) => what === "status" && after === "paid"));

// The same phone at the desk: the problem says in its own members whose it is.
const walkIn: Schemas["NewTicket"] = { description: "Hums at 60 mph", customer: { name: "R. Lee", phone: "212 555 0164" } };
const { error: alike } = await advisor.POST("/service-tickets", { body: walkIn });
assert.deepEqual(duplicatesOf(alike), [robin.id]);
const filters = { status: ["invoiced", "paid"], created_from: "2026-01-01" } as const;
const paid = good(await advisor.GET("/service-tickets", { params: { query: { ...filters, status: [...filters.status] } } }));
assert(paid.some(({ id }) => id === opened.id));

// Years later: found by the end of the phone, and all customers, page by page.
const found = good(await advisor.GET("/customers", { params: { query: { q: "555-0164" } } }));
assert.deepEqual(found.map(({ id }) => id), [robin.id]);
const seen: number[] = [];
let cursor: string | undefined;
do {
  const page = await advisor.GET("/customers", { params: { query: cursor === undefined ? { limit: 3 } : { limit: 3, cursor } } });
  seen.push(...good(page).map(({ id }) => id));
  const next = /<([^>]+)>; rel="next"/.exec(page.response.headers.get("Link") ?? "")?.[1];
  cursor = next === undefined ? undefined : (new URL(next, baseUrl).searchParams.get("cursor") ?? undefined);
} while (cursor !== undefined);
assert.equal(new Set(seen).size, seen.length);
assert(seen.includes(robin.id));

const out = await customer.POST("/customers/logout");
assert.equal(out.response.status, 204);
// Within a second on every worker.
for (let status = 0, since = Date.now(); status !== 401; ) {
  assert(Date.now() - since < 2000, "still signed in");
  status = (await customer.GET("/customers/mytickets")).response.status;
}
console.log(`TypeScript: ticket ${opened.id} paid, ${seen.length} customers read`);
