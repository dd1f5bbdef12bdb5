// The ticket: nobody's change is lost, nothing typed is lost, decisions, invoice, payment and papers by keyboard.
import assert from "node:assert/strict";

import { assertAccessible, DESKTOP, PASSWORD, serve, signIn, TABLET, visit } from "./browser.mjs";

const shop = serve();
// Tickets of the demo shop.
const [INVOICED, COMPLETED, QUOTE, OPEN, AT_WORK] = [2, 4, 5, 6, 7];
const HOSTILE = `<img src=x onerror="alert(1)">\u202Eevil ${"W".repeat(440)}`;

async function asStaff(role = "admin") {
  const { body } = await shop().call("POST", "/mechanics/login", { body: { email: `${role}@example.com`, password: PASSWORD } });
  return (method, path, sent) => shop().call(method, path, { body: sent, token: body.token });
}

const readTicket = async (id) => (await (await asStaff())("GET", `/service-tickets/${id}`)).body;

async function openTicket(visitor, id, role = "advisor", options = {}) {
  const page = await visitor.signIn(role, `/desk#/tickets/${id}`, options);
  await page.getByRole("heading", { name: `Ticket ${id}` }).waitFor();
  return page;
}

/** The page hears of no change until it asks anew by itself, as between two of its polls. */
const keepUnaware = (page, id) =>
  page.route(`**/service-tickets/${id}`, (route) =>
    route.request().headers()["if-none-match"] ? route.fulfill({ status: 304 }) : route.continue(),
  );

async function change(page, label, value) {
  await page.getByLabel(label, { exact: true }).fill(value);
  await page.keyboard.press("Tab");
}

const saved = (page, path = "/edit") => page.waitForResponse((answer) => answer.url().endsWith(path) && answer.ok());

visit("two who change different fields of a ticket both keep what they changed", shop, async (visitor) => {
  visitor.allow(/412 PUT/);
  const page = await openTicket(visitor, OPEN);
  await keepUnaware(page, OPEN);
  const other = await openTicket(visitor, OPEN, "admin");
  await Promise.all([saved(other), change(other, "Key tag", "22")]);
  await change(page, "PO number", "PO-7");
  await page.getByText(/Meanwhile .+ changed: Key tag\. Your change is kept too\./).waitFor();
  assert.equal(await page.getByLabel("Key tag").inputValue(), "22");
  const { key_tag, po_number } = await readTicket(OPEN);
  assert.deepEqual([key_tag, po_number], ["22", "PO-7"]);
});

for (const [choice, expected] of [[/Mine/, "ours"], [/theirs/, "theirs"]]) {
  visit(`two who change one field are asked, and ${expected} is kept`, shop, async (visitor) => {
    visitor.allow(/412 PUT/);
    const page = await openTicket(visitor, OPEN);
    await keepUnaware(page, OPEN);
    const { name } = (await (await asStaff())("GET", "/me")).body;
    await (await asStaff())("PUT", `/service-tickets/${OPEN}/edit`, { notes: "theirs" });
    await change(page, "Notes for the staff", "ours");
    const dialog = page.getByRole("dialog", { name: "This ticket changed meanwhile" });
    await dialog.getByText(name).first().waitFor();
    await assertAccessible(page);
    assert.equal((await readTicket(OPEN)).notes, "theirs");
    await dialog.getByRole("radio", { name: choice }).check();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await page.getByLabel("Notes for the staff").inputValue(), expected);
    assert.equal((await readTicket(OPEN)).notes, expected);
    await (await asStaff())("PUT", `/service-tickets/${OPEN}/edit`, { notes: null });
  });
}

visit("what arrives while somebody types takes nothing away, and is not overwritten", shop, async (visitor) => {
  const page = await openTicket(visitor, OPEN);
  const notes = page.getByLabel("Notes for the staff");
  await notes.fill("half a sen");
  await (await asStaff())("PUT", `/service-tickets/${OPEN}/edit`, { notes: "theirs", key_tag: "31" });
  await page.evaluate(() => document.dispatchEvent(new window.Event("visibilitychange")));
  await page.waitForFunction(() => [...document.querySelectorAll("input")].some(({ value }) => value === "31"));
  assert.equal(await notes.inputValue(), "half a sen");
  await page.keyboard.press("Tab");
  const dialog = page.getByRole("dialog", { name: "This ticket changed meanwhile" });
  await dialog.getByRole("button", { name: "Leave it" }).click();
  assert.equal(await notes.inputValue(), "half a sen");
  assert.equal((await readTicket(OPEN)).notes, "theirs");
  await notes.press("Escape");
  assert.equal(await notes.inputValue(), "theirs");
});

visit("an act on a ticket that changed meanwhile asks first, and can be left", shop, async (visitor) => {
  visitor.allow(/412 PUT/);
  const page = await openTicket(visitor, OPEN);
  await keepUnaware(page, OPEN);
  const staff = await asStaff();
  const { id } = (await readTicket(OPEN)).jobs.find(({ status }) => status === "proposed");
  await staff("POST", `/service-tickets/${OPEN}/labor`, { description: "Check the ribs", hours: "0.2", job_id: id });
  await staff("PUT", `/service-tickets/${OPEN}/status`, { status: "in_progress" });
  await page.getByRole("button", { name: "Void" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Void" }).click();
  const dialog = page.getByRole("dialog", { name: "This ticket changed meanwhile" });
  await dialog.getByText("In progress").waitFor();
  await dialog.getByText("Check the ribs").waitFor(); // nothing of it counts yet
  await dialog.getByRole("button", { name: "Leave it" }).click();
  assert.equal((await readTicket(OPEN)).status, "in_progress");
});

visit("a token that expires in the middle of typing loses nothing", shop, async (visitor) => {
  visitor.allow(/401 /);
  const page = await openTicket(visitor, AT_WORK);
  const notes = page.getByLabel("Notes for the staff");
  await notes.fill("The customer calls ba");
  await (await asStaff("advisor"))("POST", "/mechanics/logout");
  await page.evaluate(() => {
    const [name] = Object.keys(sessionStorage);
    sessionStorage.setItem(name, `${sessionStorage.getItem(name)}x`); // as one that is not good any more
    document.dispatchEvent(new window.Event("visibilitychange"));
  });
  await page.getByRole("dialog", { name: "Sign in again" }).waitFor();
  await signIn(page, "advisor");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal(await notes.inputValue(), "The customer calls ba");
  await page.keyboard.type("ck."); // the focus is back
  await Promise.all([saved(page), page.keyboard.press("Tab")]);
  assert.equal((await readTicket(AT_WORK)).notes, "The customer calls back.");
});

visit("an advisor records by keyboard which job the customer approves, on the total that is shown", shop, async (visitor) => {
  const page = await openTicket(visitor, QUOTE);
  const [brakes, strut] = (await readTicket(QUOTE)).jobs;
  await page.keyboard.press("a");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Total after this: $808.90").waitFor();
  await dialog.getByRole("group", { name: strut.name }).getByLabel("Decline").check();
  await dialog.getByText(`Total after this: $${brakes.totals.total}`).waitFor();
  await assertAccessible(page);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("Approved, declined").waitFor();
  const { status, authorized_amount, jobs } = await readTicket(QUOTE);
  assert.deepEqual([status, authorized_amount, jobs.map((job) => job.status)], ["open", brakes.totals.total, ["approved", "declined"]]);
});

visit("an approval link is made by keyboard, and shown to be copied", shop, async (visitor) => {
  const page = await openTicket(visitor, QUOTE);
  const staff = await asStaff();
  await staff("POST", `/service-tickets/${QUOTE}/jobs`, { name: "Wipers", status: "proposed" });
  await page.keyboard.press("s");
  await page.keyboard.press("Enter");
  const link = page.getByLabel(/For the customer/);
  await link.waitFor();
  assert.match(await link.inputValue(), /\/approve\/[\w-]{20,}$/);
  await assertAccessible(page);
});

visit("completing tells which jobs it declines as unanswered, and what keeps it from being done", shop, async (visitor) => {
  visitor.allow(/409 PUT/);
  const staff = await asStaff();
  await staff("POST", `/service-tickets/${AT_WORK}/jobs`, { name: "New battery", status: "proposed" });
  const page = await openTicket(visitor, AT_WORK);
  await page.getByRole("button", { name: "Complete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("New battery").waitFor();
  await dialog.getByRole("button", { name: "Complete" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal((await readTicket(AT_WORK)).status, "completed");
});

visit("an advisor invoices, takes a part of the money, then the rest, and refunds", shop, async (visitor) => {
  visitor.allow(/409 POST .*payments/, /422 POST .*payments/);
  const page = await openTicket(visitor, COMPLETED);
  const { total } = (await readTicket(COMPLETED)).totals;
  await page.keyboard.press("$");
  await page.getByText("Invoice the ticket first").waitFor();
  await page.getByRole("button", { name: "Invoice", exact: true }).click();
  await page.keyboard.press("Enter");
  await page.getByText(/Invoice \d+ is issued/).waitFor();
  await page.keyboard.press("$");
  const amount = page.getByLabel("Amount");
  assert.equal(await amount.inputValue(), total);
  await amount.fill("999999.00");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("is due").waitFor();
  await amount.fill("ten");
  await page.keyboard.press("Enter");
  await page.locator(".field .error").waitFor();
  await amount.fill("1.00");
  await page.keyboard.press("Enter");
  await page.getByText("Payment of $1.00 is recorded.").waitFor();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("$");
  await page.keyboard.press("Enter");
  await page.locator(".badge.paid").waitFor();
  await page.keyboard.press("$");
  await page.getByLabel("Amount").fill("0.50");
  await page.getByLabel("Reference").fill("slip 9");
  await page.keyboard.press("Enter");
  await page.locator(".badge.invoiced").waitFor();
  await page.getByText("slip 9").waitFor();
  assert.equal((await readTicket(COMPLETED)).totals.balance, "0.50");
});

visit("an admin reopens an invoice with a reason, which is asked for", shop, async (visitor) => {
  visitor.allow(/409 PUT/);
  const page = await openTicket(visitor, INVOICED, "admin");
  await page.getByRole("button", { name: "Reopen" }).click();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("Reason").fill("Wrong part on it");
  await page.keyboard.press("Enter");
  await page.locator(".badge.completed").waitFor();
  await page.getByRole("region", { name: "History" }).getByText("Wrong part on it").waitFor();
});

visit("mechanics, advisor, promise, discount and odometer are changed where they stand", shop, async (visitor) => {
  visitor.allow(/409 PUT/, /422 PUT/);
  const page = await openTicket(visitor, OPEN, "admin");
  const details = page.getByRole("region", { name: "Details" });
  await details.getByLabel("Another mechanic").selectOption({ label: "Rosa Delgado" });
  await details.getByRole("button", { name: "Assign" }).click();
  await details.getByRole("button", { name: "Take Rosa Delgado off" }).waitFor();
  await Promise.all([saved(page), change(page, "Discount", "10%")]);
  await page.getByRole("rowheader", { name: "Discount" }).waitFor();
  await Promise.all([saved(page), change(page, "Discount", "5.00")]);
  await change(page, "Discount", "a lot");
  await details.getByRole("alert").waitFor();
  await details.getByLabel("Discount").press("Escape");
  await change(page, "Odometer", "10");
  await Promise.all([saved(page), details.getByRole("button", { name: "Use this reading" }).click()]);
  await details.getByLabel("Promised").fill("2031-05-06T07:08");
  await Promise.all([saved(page), page.keyboard.press("Enter")]);
  await Promise.all([saved(page, "/status"), details.getByLabel("Waiting for").selectOption("parts")]);
  await page.locator(".badge.hold").waitFor();
  const { discount_amount, discount_percent, odometer, hold, mechanics } = await readTicket(OPEN);
  assert.deepEqual([discount_amount, discount_percent, odometer, hold], ["5.00", null, 10, "parts"]);
  assert.ok(mechanics.some(({ name }) => name === "Rosa Delgado"));
});

visit("who takes a mechanic off by keyboard keeps the focus", shop, async (visitor) => {
  await (await asStaff())("PUT", `/service-tickets/${OPEN}/edit`, { add_mechanic_ids: [3] });
  const page = await openTicket(visitor, OPEN);
  const takeOff = page.getByRole("button", { name: "Take Rosa Delgado off" });
  await takeOff.press("Enter");
  await takeOff.waitFor({ state: "detached" });
  await page.getByRole("list", { name: "Mechanics" }).and(page.locator(":focus")).waitFor();
});

visit("the history is read to its beginning, a page at a time", shop, async (visitor) => {
  const staff = await asStaff();
  const { id } = (await staff("POST", "/service-tickets", { customer_id: 2, vehicle_id: 2, description: "Rattles" })).body;
  for (let number = 1; number <= 60; number += 1) {
    await staff("PUT", `/service-tickets/${id}/edit`, { key_tag: `K${number}`, po_number: `PO${number}` });
  }
  const page = await openTicket(visitor, id);
  const history = page.getByRole("region", { name: "History" });
  const oldest = history.getByRole("insertion").filter({ hasText: /^K1$/ });
  for (let pages = 1; pages < 5; pages += 1) {
    assert.equal(await oldest.count(), 0);
    await history.getByRole("button", { name: "Show more" }).press("Enter");
    await history.locator("ol").nth(pages - 1).and(page.locator(":focus")).waitFor();
    await history.locator("ol").nth(pages).locator("li").first().waitFor();
  }
  await oldest.waitFor();
});

visit("papers open in a tab of their own", shop, async (visitor) => {
  const page = await openTicket(visitor, QUOTE);
  const [tab] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "Work order" }).click()]);
  await tab.waitForURL(/^blob:/, { waitUntil: "commit" });
});

visit("hostile text shows as text, and breaks no layout", shop, async (visitor) => {
  const staff = await asStaff();
  const id = (await staff("POST", "/service-tickets", { customer: { name: HOSTILE.slice(0, 100), phone: "+12125550999" }, description: HOSTILE })).body.id;
  await staff("PUT", `/service-tickets/${id}/edit`, { notes: HOSTILE, key_tag: "<b>9</b>", po_number: "</td><script>" });
  await staff("POST", `/service-tickets/${id}/jobs`, { name: "<i>Job</i>", status: "proposed" });
  for (const viewport of [TABLET, DESKTOP]) {
    const page = await openTicket(visitor, id, "advisor", { viewport });
    assert.equal(await page.getByLabel("Notes for the staff").inputValue(), HOSTILE);
    await page.getByRole("region", { name: "History" }).getByText("<b>9</b>").waitFor();
    assert.equal(await page.locator("main img, main script, main i, main b").count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    await assertAccessible(page);
  }
});

visit("a mechanic changes what is theirs, and is not offered what is of the desk", shop, async (visitor) => {
  const page = await openTicket(visitor, AT_WORK, "mechanic");
  await page.keyboard.press("a");
  await page.keyboard.press("$");
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await page.getByRole("button", { name: /Invoice|Payment|Approve|Void/ }).count(), 0);
  assert.equal(await page.getByRole("region", { name: "Details" }).locator(":enabled[type=datetime-local]").count(), 0);
  await assertAccessible(page);
});
