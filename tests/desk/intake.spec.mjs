// The intake: a walk-in becomes a ticket by keyboard alone, and nothing is entered twice or typed in vain.
import assert from "node:assert/strict";

import { assertAccessible, PHONE, serve, TABLET, visit } from "./browser.mjs";

const shop = serve();
const HOSTILE = `<img src=x onerror=alert(1)> \u202e"'&lt;`;
const LONG = HOSTILE + "x".repeat(500);

/** Types and presses keys, and counts those that are no data. */
class Hand {
  pressed = 0;

  constructor(page) {
    this.page = page;
  }

  async press(key) {
    this.pressed += 1;
    await this.page.keyboard.press(key);
  }

  /** Fill in fields one after the other, from the one that has the focus. */
  async fill(...texts) {
    for (const [index, text] of texts.entries()) {
      if (index) await this.press("Tab");
      await this.page.keyboard.insertText(text);
    }
  }
}

/** Press `n` on the page that is shown, and return a hand whose next key is typed into the form. */
async function begin(page) {
  const hand = new Hand(page);
  await hand.press("n");
  await field(page, "Phone").and(page.locator(":focus")).waitFor();
  return hand;
}

const field = (page, name) => page.getByRole("combobox", { name });
const opened = (page) => page.waitForURL(/#\/tickets\/\d+$/).then(() => Number(page.url().split("/").pop()));

/** What the API says of a ticket, with the token of the page. */
async function ticketOf(page, id) {
  const token = await page.evaluate(() => sessionStorage.getItem("mechanic-shop.token"));
  return (await shop().call("GET", `/service-tickets/${id}`, { token })).body;
}

visit("a walk-in becomes an open ticket with eight keystrokes that are no data", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("(212) 555-0164", "Amir Haddad", "1HGCM82633A004353", "7XYZ888", "2003 Honda Accord EX", "84,210", "Squeals when braking");
  await hand.press("Enter");
  const ticket = await ticketOf(page, await opened(page));
  assert.ok(hand.pressed <= 8, `${hand.pressed} keystrokes`);
  assert.equal(ticket.status, "open");
  assert.equal(ticket.customer.phone, "+12125550164");
  const { year, make, model, plate } = ticket.vehicle;
  assert.deepEqual({ year, make, model, plate }, { year: 2003, make: "Honda", model: "Accord EX", plate: "7XYZ888" });
  assert.equal(ticket.odometer, 84210);
  assert.equal(ticket.advisor.name, "Marcus Bell");
  await page.getByText("The check digit of the VIN does not fit").waitFor(); // the warning of the answer
});

visit("a VIN gives make and year to the ticket", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("212 555 0165", "Ines Prado", "1HGCM56624A112248", "", "", "", "Oil");
  await hand.press("Enter");
  const { vehicle } = await ticketOf(page, await opened(page));
  assert.equal(vehicle.make, "Honda");
  await page.getByText(`: ${[vehicle.year, vehicle.make].filter(Boolean).join(" ")}`).waitFor();
});

visit("who is on record is offered while one types, with their cars", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("212-555-0187");
  await page.getByRole("option", { name: /Dana Whitfield/ }).first().waitFor();
  await hand.press("ArrowDown");
  await hand.press("Enter");
  const odometer = page.getByLabel("Odometer");
  await odometer.and(page.locator(":focus")).waitFor(); // there is one car, so it is theirs
  assert.ok(await page.getByRole("radio", { name: /Honda Accord/ }).isChecked());
  await page.getByRole("checkbox", { name: /Rear struts/ }).check();
  await odometer.fill("190,000");
  await page.getByLabel("What is wrong").fill("Back for the struts");
  await page.getByLabel("Mechanic").selectOption({ label: "Rosa Delgado" });
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Open the ticket" }).click();
  const ticket = await ticketOf(page, await opened(page));
  assert.deepEqual([ticket.customer.name, ticket.vehicle.model, ticket.odometer], ["Dana Whitfield", "Accord", 190000]);
  assert.deepEqual(ticket.mechanics.map(({ name }) => name), ["Rosa Delgado"]);
  assert.deepEqual(ticket.jobs.map(({ name, status }) => [name, status]), [["Rear struts", "proposed"]]);
});

visit("what may be on record already is shown side by side, to be taken or not", shop, async (visitor) => {
  visitor.allow(/409 POST .*\/service-tickets/);
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("2125550133", "L. Ortega", "", "jkl 4410", "2012 Ford", "120000", "Brakes");
  await hand.press("Enter");
  const dialog = page.getByRole("dialog", { name: "On record already?" });
  await dialog.getByText("Luis Ortega").waitFor();
  await assertAccessible(page);
  await hand.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await field(page, "Name").inputValue(), "L. Ortega");
  await page.getByLabel("What is wrong").press("Enter");
  await dialog.getByRole("button", { name: "Take this car" }).press("Enter");
  await page.getByText("Luis Ortega").waitFor();
  assert.equal(await page.getByLabel("What is wrong").inputValue(), "Brakes");
  await page.getByRole("button", { name: "Another customer" }).click();
  assert.equal(await field(page, "Name").inputValue(), "L. Ortega");
  await page.getByLabel("What is wrong").press("Enter");
  await dialog.getByRole("button", { name: "Enter as new" }).click();
  assert.equal((await ticketOf(page, await opened(page))).customer.name, "L. Ortega");
});

visit("an odometer that went back is asked about", shop, async (visitor) => {
  visitor.allow(/409 POST .*\/service-tickets/);
  const page = await visitor.signIn("advisor", "/desk#/new?customer_id=2");
  await page.getByLabel("Odometer").fill("5");
  await page.getByLabel("What is wrong").fill("A new cluster");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(/The last reading was [\d,]+\./).waitFor();
  await page.getByRole("button", { name: "It is right" }).click();
  assert.equal((await ticketOf(page, await opened(page))).odometer, 5);
});

visit("what is typed outlives a refusal and a reload, and ends with the ticket and with the sign-out", shop, async (visitor) => {
  visitor.allow(/422 POST .*\/service-tickets/);
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("12", LONG, "1HG", "", LONG, "many", LONG);
  await hand.press("Enter");
  await page.getByText("Not a valid phone number").waitFor();
  await page.getByText("A VIN has 17 letters and digits").waitFor();
  await assertAccessible(page);
  await page.reload();
  await field(page, "Name").waitFor();
  assert.equal(await field(page, "Name").inputValue(), LONG);
  assert.equal(await page.getByLabel("What is wrong").inputValue(), LONG);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Password").waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), "{}");
});

visit("hostile text is text on the ticket's way, and on the screens of customer and car", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const hand = await begin(page);
  await hand.fill("212 555 0177", HOSTILE, "", "EVIL1", HOSTILE, "", HOSTILE);
  await hand.press("Enter");
  const ticket = await ticketOf(page, await opened(page));
  assert.equal(ticket.customer.name, HOSTILE);
  await page.setViewportSize(PHONE);
  for (const path of [`customers/${ticket.customer_id}`, `customers/${ticket.customer_id}/vehicles/${ticket.vehicle_id}`]) {
    await page.goto(`/desk#/${path}`);
    await page.locator("main").getByText("<img src=x onerror=alert(1)>").first().waitFor();
    await assertAccessible(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  }
  assert.equal(await page.locator("main img").count(), 0);
});

visit("a mechanic takes a car in as well, without what the desk decides", shop, async (visitor) => {
  const page = await visitor.signIn("mechanic");
  const hand = await begin(page);
  assert.equal(await page.getByLabel("Promised for").count() + (await page.getByLabel("Advisor").count()), 0);
  await hand.fill("212 555 0166", "Walk-in", "", "MECH1", "1999 Land Rover Defender", "", "Leaks");
  await hand.press("Enter");
  const ticket = await ticketOf(page, await opened(page));
  assert.deepEqual([ticket.vehicle.make, ticket.vehicle.model], ["Land Rover", "Defender"]);
  assert.deepEqual(ticket.mechanics.map(({ name }) => name), ["Rosa Delgado"]);
});

visit("the intake is accessible at each size", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk#/new");
  await page.getByLabel("What is wrong").waitFor();
  await assertAccessible(page);
  for (const size of [TABLET, PHONE]) {
    await page.setViewportSize(size);
    await assertAccessible(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  }
});
