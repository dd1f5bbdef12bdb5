// The whole day of a car, through the hands of everybody: intake, quote, link, the customer's answer, bay, invoice, payment.
import assert from "node:assert/strict";

import { PHONE, serve, TABLET, until, visit } from "./browser.mjs";

const shop = serve({ PARTS_TAX_RATE: "8.25", LABOR_TAX_RATE: "4", SUPPLIES_RATE: "5", SUPPLIES_CAP: "20" });
const MOST_KEYS = 8; // of the intake, that are no data
const INTAKE = ["212 555 0164", "Amir Haddad", "1HGCM82633A004353", "7XYZ888", "2003 Honda Accord", "84210", "Squeals when braking"];
const [BRAKES, WIPERS, STRUT] = ["Front brakes", "Wiper blades", "Front strut leaks"];

const focused = (locator) => locator.page().locator(":focus").and(locator).waitFor();
const job = (page, name) => page.getByRole("region", { name });
/** What somebody else did is shown at once, and not by the next poll. */
const poll = (page) => page.evaluate(() => document.dispatchEvent(new window.Event("visibilitychange")));

/** Press keys one after the other, and type what is in quotes. */
async function press(page, ...keys) {
  for (const key of keys) await (key.startsWith('"') ? page.keyboard.type(key.slice(1, -1)) : page.keyboard.press(key));
}

/** The advisor takes the car in by keyboard alone. Returns the id of the ticket. */
async function takeIn(page) {
  let keys = 0;
  const hit = (key) => ((keys += 1), page.keyboard.press(key));
  await hit("n");
  await focused(page.getByLabel("Phone"));
  for (const [index, text] of INTAKE.entries()) {
    if (index) await hit("Tab");
    await page.keyboard.type(text);
  }
  await hit("Enter");
  await page.waitForURL(/#\/tickets\/\d+$/);
  assert.ok(keys <= MOST_KEYS, `${keys} keys that are no data`);
  return page.url().split("/").pop();
}

/** The advisor asks for two jobs by keyboard: one that is canned, and one that is written. */
async function quote(page) {
  const written = (name) => focused(page.getByRole("heading", { name }));
  const askFirst = page.getByRole("checkbox", { name: "Ask the customer first" });
  await page.getByRole("heading", { name: "Jobs" }).waitFor();
  await press(page, "j", '"front br"');
  await page.getByRole("option", { name: BRAKES }).waitFor();
  await press(page, "ArrowDown", "Enter", "Tab", "Tab");
  await focused(askFirst);
  await press(page, "Space", "Enter");
  await written(BRAKES);
  await press(page, "j", `"${WIPERS}"`, "Tab", "Tab");
  await focused(askFirst);
  await press(page, "Space", "Enter");
  await written(WIPERS);
  await press(page, "p", '"wip-24"', "Enter");
  await focused(page.locator("[name=quantity]"));
  await press(page, '"2"', "Enter");
  await page.getByRole("row", { name: /Wiper blade/ }).waitFor();
  await press(page, "Escape");
  await written(WIPERS);
  await press(page, "l", '"Fit blades"', "Tab", '"0.3"', "Enter");
  await page.getByRole("row", { name: /Fit blades/ }).waitFor();
  await press(page, "Escape");
}

/** The advisor makes a link, by keyboard. Returns its path. */
async function sendLink(page) {
  await press(page, "s");
  await page.getByRole("dialog").getByText(WIPERS).waitFor();
  await press(page, "Enter");
  const { pathname } = new URL(await page.getByLabel(/For the customer/).inputValue());
  await press(page, "Escape");
  return pathname;
}

/** The customer approves the brakes, and declines the wipers. */
async function answer(page) {
  await page.getByRole("group", { name: BRAKES }).getByLabel("Approve").tap();
  await page.getByRole("group", { name: WIPERS }).getByLabel("Decline").tap();
  await page.getByLabel("Your full name").fill("Amir Haddad");
  await page.getByRole("button", { name: /^Approve for \$/ }).tap();
  await page.getByRole("heading", { name: /^You approved work for \$/ }).waitFor();
}

/** The mechanic begins where they land: opens the car, starts, writes the hours that it took, and proposes what is found. */
async function workInBay(page, id) {
  await page.getByRole("heading", { name: "My tickets" }).waitFor();
  await page.locator(`.bay a[href$="/tickets/${id}"]`).tap();
  await page.getByRole("button", { name: "Start work" }).tap();
  await page.locator(".badge.in_progress").waitFor();
  await page.getByRole("button", { name: "Edit Replace front pads and rotors" }).tap();
  await page.getByLabel("Hours").fill("1.5");
  await page.getByRole("button", { name: "Save labor" }).tap();
  await page.getByRole("row", { name: /Replace front pads and rotors 1.5/ }).waitFor();
  await page.getByRole("button", { name: "New job" }).tap();
  await page.getByRole("combobox", { name: "Job" }).fill(STRUT);
  await page.getByRole("button", { name: "Propose job" }).tap();
  await job(page, STRUT).getByRole("button", { name: "+ Labor" }).tap();
  await page.getByLabel("Labor", { exact: true }).fill("Replace strut");
  await page.getByLabel("Hours").fill("2.2");
  await page.getByRole("button", { name: "Add labor" }).tap();
  await page.getByRole("row", { name: /Replace strut/ }).waitFor();
}

visit("a car comes in, is quoted, approved, repaired, invoiced and paid", shop, async (visitor) => {
  const advisor = await visitor.signIn("advisor");
  const api = await shop().as("advisor");
  const id = await takeIn(advisor);
  const read = () => api("GET", `/service-tickets/${id}`);
  const answers = async () => (await read()).jobs.map(({ name, status }) => `${name}: ${status}`);
  await quote(advisor);
  assert.deepEqual(await answers(), [`${BRAKES}: proposed`, `${WIPERS}: proposed`]);

  await answer(await visitor.open(await sendLink(advisor), { viewport: PHONE, hasTouch: true, isMobile: true }));
  assert.deepEqual(await answers(), [`${BRAKES}: approved`, `${WIPERS}: declined`]);
  await poll(advisor);
  await job(advisor, BRAKES).getByText("Approved").waitFor();
  await job(advisor, WIPERS).getByText("Declined by the customer").waitFor();
  await advisor.getByLabel("Another mechanic").selectOption({ label: "Rosa Delgado" });
  await advisor.getByRole("button", { name: "Assign" }).click();
  await advisor.getByRole("button", { name: "Take Rosa Delgado off" }).waitFor();

  const mechanic = await visitor.signIn("mechanic", "/desk", { viewport: TABLET, hasTouch: true });
  await workInBay(mechanic, id);
  await poll(advisor);
  await job(advisor, STRUT).getByText("Proposed").waitFor();
  await press(advisor, "a");
  await advisor.getByLabel("How").selectOption("phone");
  await advisor.getByText(/Total after this: \$/).waitFor();
  await advisor.getByRole("button", { name: /^Record: \$/ }).click();
  await job(advisor, STRUT).getByText("Approved").waitFor();
  await poll(mechanic);
  await job(mechanic, STRUT).getByText("Approved").waitFor();
  await mechanic.getByRole("button", { name: "Complete" }).tap();
  await mechanic.locator(".badge.completed").waitFor();

  await poll(advisor);
  await advisor.getByRole("button", { name: "Invoice", exact: true }).click();
  await press(advisor, "Enter");
  await advisor.getByText(/Invoice \d+ is issued/).waitFor();
  await until(async () => (await advisor.getByRole("dialog").count()) === 0);
  await press(advisor, "$", "Enter");
  await advisor.locator(".badge.paid").waitFor();

  const { status, totals, jobs } = await read();
  assert.equal(status, "paid");
  assert.deepEqual([totals.paid, totals.balance], [totals.total, "0.00"]);
  assert.deepEqual([totals.parts, totals.labor], ["181.90", "370.00"]); // a set of pads, two rotors; 1.5 and 2.2 hours at 100.00
  assert.deepEqual(jobs.map((each) => each.status), ["approved", "declined", "approved"]);
  const money = advisor.getByRole("region", { name: "Money" });
  for (const name of ["Parts", "Labor", "Supplies", "Tax", "Total"]) {
    await money.getByRole("row", { name: `${name} $${totals[name.toLowerCase()]}` }).waitFor();
  }
  await money.getByText(`Balance$${totals.balance}`).waitFor();
});
