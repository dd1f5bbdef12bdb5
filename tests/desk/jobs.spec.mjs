// The jobs of a ticket and their lines: written by keyboard, refused in plain words, and shown as the text that they are.
import assert from "node:assert/strict";

import { assertAccessible, PASSWORD, serve, TABLET, until, visit } from "./browser.mjs";

const shop = serve();
const CUSTOMER = 1;
const CAR = 1;
const HOSTILE = `<img src=x onerror=alert(1)>\u202Egnp.exe \u2067שלום ${"W".repeat(60)}`;

async function apiOf(role) {
  const { body } = await shop().call("POST", "/mechanics/login", { body: { email: `${role}@example.com`, password: PASSWORD } });
  return async (method, path, sent) => {
    const answer = await shop().call(method, path, { body: sent, token: body.token });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
}

/** A new ticket, by default an estimate, and a page of it. */
async function ticketOf(visitor, { role = "advisor", opener = "advisor", viewport, ...fields } = {}) {
  const api = await apiOf(opener);
  const body = { customer_id: CUSTOMER, vehicle_id: CAR, description: "Noise.", status: "estimate", ...fields };
  const { id } = await api("POST", "/service-tickets", body);
  const page = await visitor.signIn(role, `/desk#/tickets/${id}`, viewport && { viewport });
  await page.getByRole("heading", { name: "Jobs", exact: true }).waitFor();
  return { api, page, id, read: () => api("GET", `/service-tickets/${id}`) };
}

/** Press keys one after the other, and type what is in quotes. */
async function press(page, ...keys) {
  for (const key of keys) await (key.startsWith('"') ? page.keyboard.type(key.slice(1, -1)) : page.keyboard.press(key));
}

const job = (page, name) => page.getByRole("region", { name });
const line = (page, name) => page.getByRole("row").filter({ hasText: name });
const problem = (page, text) => page.getByRole("alert").filter({ hasText: text });

/** Write a job by its name; it has the focus then. */
async function writeJob(page, name) {
  await press(page, "j", `"${name}"`, "Enter");
  await page.getByRole("heading", { name }).and(page.locator(":focus")).waitFor();
}

/** Choose a part in the form that is open; its quantity has the focus then. */
async function choosePart(page, text) {
  await press(page, `"${text}"`, "Enter");
  await page.locator('[name="quantity"]:focus').waitFor();
}

const searching = (page) => page.getByRole("combobox", { name: "Part, by SKU or name" }).and(page.locator(":focus")).waitFor();

visit("two jobs are quoted by keyboard alone: of parts one after the other and labor, and a canned one", shop, async (visitor) => {
  const { page, read } = await ticketOf(visitor);
  await writeJob(page, "Grinding when braking");
  await press(page, "p");
  await choosePart(page, "brk-pad");
  await press(page, "Enter");
  await line(page, "Brake pads, front").waitFor();
  await searching(page);
  await choosePart(page, "rotor");
  await press(page, '"2"', "Enter");
  await line(page, "Brake rotor").waitFor();
  await searching(page);
  await press(page, "Escape", "l", '"Fit pads and rotors"', "Tab", '"1.7"', "Enter");
  await line(page, "Fit pads and rotors").waitFor();
  await press(page, "Escape", "j", '"oil and"');
  await page.getByRole("option", { name: "Oil and filter" }).waitFor();
  await press(page, "ArrowDown", "Enter", "Enter");
  await job(page, "Oil and filter").waitFor();

  const { jobs } = await read();
  assert.deepEqual(jobs.map(({ name, status }) => [name, status]), [["Grinding when braking", "proposed"], ["Oil and filter", "proposed"]]);
  assert.deepEqual(jobs[0].parts.map(({ quantity }) => quantity), [1, 2]);
  for (const { name, totals } of jobs) assert.match(await job(page, name).innerText(), new RegExp(`\\$${totals.total}`));
});

visit("a quantity may be a fraction where the unit has them; else the refusal stands at the field, and what is typed stays", shop, async (visitor) => {
  visitor.allow(/422 PUT/);
  const { page, read } = await ticketOf(visitor);
  await writeJob(page, "Oil");
  await press(page, "p");
  await choosePart(page, "oil-5w");
  await press(page, '"5.7"', "Enter");
  await line(page, "Engine oil").filter({ hasText: "5.7" }).filter({ hasText: "$47.03" }).waitFor();
  await choosePart(page, "oil-flt");
  await press(page, '"1.5"', "Enter");
  await problem(page, "whole").waitFor();
  assert.equal(await page.locator('[name="quantity"]').inputValue(), "1.5");
  assert.deepEqual((await read()).jobs[0].parts.map(({ quantity }) => quantity), [5.7]);
});

visit("a part that is short is told before, refused, and ordered on request", shop, async (visitor) => {
  visitor.allow(/409 PUT/);
  const { page, read } = await ticketOf(visitor, { status: "open" });
  await writeJob(page, "Batteries");
  await press(page, "p");
  await press(page, '"bat"');
  await page.getByRole("option", { name: /Battery.*BAT-G35-640.*\d available, D4-01.*\$169\.00/ }).waitFor();
  await choosePart(page, "");
  await press(page, '"90"');
  await page.getByRole("checkbox", { name: "Order what is missing" }).waitFor();
  await press(page, "Enter");
  await problem(page, "Not enough in stock").waitFor();
  await press(page, "Tab", "Tab");
  await page.getByRole("checkbox", { name: "Order what is missing" }).and(page.locator(":focus")).waitFor();
  await press(page, "Space", "Enter");
  await line(page, "Battery").getByText(/\d+ short/).waitFor();
  const [part] = (await read()).jobs[0].parts;
  assert.equal(part.quantity, 90);
  await line(page, "Battery").getByText(`${part.quantity_short} short`).waitFor();
});

visit("a price of one's own needs a reason; lines are changed and removed, and the focus is never lost", shop, async (visitor) => {
  visitor.allow(/422 PUT/);
  const { page, read } = await ticketOf(visitor);
  await writeJob(page, "Wipers");
  await press(page, "p");
  await choosePart(page, "wip-24");
  await press(page, "Tab", '"12.50"', "Enter");
  await page.getByLabel("Why that price").waitFor();
  await problem(page, /./).first().waitFor();
  await press(page, "Tab", '"Scratched"', "Enter");
  await line(page, "Wiper blade").filter({ hasText: "$12.50" }).filter({ hasText: "Scratched" }).waitFor();
  await searching(page);

  await press(page, "Escape");
  await page.getByRole("button", { name: "Edit Wiper blade" }).press("Enter");
  await page.getByLabel("Quantity").fill("2");
  await press(page, "Enter");
  await line(page, "Wiper blade").filter({ hasText: "$25.00" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Wipers");
  await page.getByRole("button", { name: "Remove Wiper blade" }).press("Enter");
  await line(page, "Wiper blade").waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "Wipers" }).and(page.locator(":focus")).waitFor();
  await until(async () => (await read()).jobs[0].parts.length === 0);
});

visit("fees, notes, a job without an answer that is offered again, and one that goes", shop, async (visitor) => {
  const { page, read } = await ticketOf(visitor, { status: "open" });
  await press(page, "j", '"Alignment"');
  await page.getByLabel("Ask the customer first").check();
  await press(page, "Enter");
  const alignment = job(page, "Alignment");
  await alignment.getByText("Proposed").waitFor();
  await alignment.getByRole("button", { name: "+ Fee" }).click();
  await press(page, '"Hudson Alignment"', "Tab", '"89"', "Tab", '"S"', "Tab", '"60"', "Enter");
  await line(page, "Hudson Alignment").filter({ hasText: "Sublet" }).filter({ hasText: "$89.00" }).waitFor();
  await press(page, "Escape");
  await alignment.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByLabel("Notes for the customer").fill("Pulls to the left.");
  await press(page, "Enter");
  await alignment.getByText("Pulls to the left.").waitFor();
  await alignment.getByRole("button", { name: "No answer" }).click();
  await alignment.locator(".badge", { hasText: "No answer" }).waitFor();
  assert.equal(await alignment.getByRole("button", { name: "Edit", exact: true }).count(), 0);
  await alignment.getByRole("button", { name: "Offer again" }).click();
  await alignment.getByText("Proposed").waitFor();
  assert.equal((await read()).jobs[0].fees[0].cost, "60.00");
  await alignment.getByRole("button", { name: "Delete" }).press("Enter");
  await alignment.getByRole("button", { name: "Delete with its lines" }).press("Enter");
  await alignment.waitFor({ state: "detached" });
});

visit("what the customer declined before is offered at once", shop, async (visitor) => {
  const { api, page, read } = await ticketOf(visitor);
  const [{ name, job_id: declined }] = await api("GET", `/customers/${CUSTOMER}/vehicles/${CAR}/deferred`);
  await press(page, "j");
  await page.getByRole("option", { name }).waitFor();
  await press(page, "ArrowDown", "Enter", "Enter");
  await job(page, name).getByText("Offered again").waitFor();
  assert.equal((await read()).jobs[0].revived_from, declined);
});

visit("hostile text in every field is text", shop, async (visitor) => {
  const { api, page, id } = await ticketOf(visitor);
  const part = await api("POST", "/inventory", { name: HOSTILE, price: "1.00", sku: "<b>SKU</b>" });
  await api("POST", "/canned-jobs", { name: `Canned ${HOSTILE}`, labor: [{ description: HOSTILE, hours: "1" }] });
  await writeJob(page, HOSTILE.slice(0, 120));
  await press(page, "l", `"${HOSTILE}${"9".repeat(300)}"`, "Tab", '"1"', "Enter");
  await line(page, "9".repeat(300)).waitFor();
  await press(page, "Escape", "p", '"<b>sku"');
  await page.getByRole("option", { name: "<b>SKU</b>" }).waitFor();
  await press(page, "Enter");
  await page.locator('[name="quantity"]:focus').waitFor();
  await press(page, "Enter");
  await line(page, "<b>SKU</b>").waitFor();
  await press(page, "Escape", "j", '"canned"');
  await page.getByRole("option", { name: "Canned <img" }).waitFor();
  assert.equal(await page.locator("main :is(img, b)").count(), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "nothing is pushed out of the page");
  assert.equal((await api("GET", `/service-tickets/${id}`)).jobs[0].parts[0].part_id, part.id);
});

visit("what is typed stays while the ticket changes, and the newer state is kept", shop, async (visitor) => {
  const { api, page, id, read } = await ticketOf(visitor);
  await writeJob(page, "Belt");
  await press(page, "l", '"Replace bel"');
  const [{ id: jobId }] = (await read()).jobs;
  await api("POST", `/service-tickets/${id}/labor`, { description: "Look at it", hours: "0.2", job_id: jobId });
  await line(page, "Look at it").waitFor();
  await press(page, '"t"', "Tab", '"0.6"', "Enter");
  await line(page, "Replace belt").waitFor();
  assert.deepEqual((await read()).jobs[0].labor.map(({ description }) => description), ["Look at it", "Replace belt"]);
});

visit("a mechanic proposes a job on a ticket of their own, without prices, and changes nothing of another's", shop, async (visitor) => {
  const { page, read } = await ticketOf(visitor, { role: "mechanic", opener: "mechanic", status: "open", viewport: TABLET });
  await writeJob(page, "Worn belt");
  const belt = job(page, "Worn belt");
  await belt.getByText("Proposed").waitFor();
  await press(page, "p");
  await choosePart(page, "blt");
  for (const name of ["Price of one", "Rate"]) assert.equal(await page.getByLabel(name).count(), 0);
  await press(page, "Enter");
  await line(page, "Serpentine belt").waitFor();
  assert.deepEqual(await belt.locator("> footer button").allInnerTexts(), ["+ Part", "+ Labor", "Edit", "Delete"]);
  assert.equal((await read()).jobs[0].status, "proposed");
  await page.goto("/desk#/tickets/5");
  await job(page, "Front left strut").waitFor();
  assert.equal(await page.getByRole("button", { name: /New job|Edit|Remove|Part/ }).count(), 0);
});

visit("jobs, their forms and an open list are accessible", shop, async (visitor) => {
  const { page } = await ticketOf(visitor, { status: "open" });
  await writeJob(page, "Check");
  await press(page, "l", "Escape", "p", '"b"');
  await page.getByRole("option").first().waitFor();
  await assertAccessible(page);
  await press(page, "Escape", "Escape", "j");
  await page.getByRole("option").first().waitFor();
  await assertAccessible(page);
});
