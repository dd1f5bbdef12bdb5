// What interrupts people takes nothing from them: a server that is restarted, a session that ends while they type.
import assert from "node:assert/strict";

import { assertAccessible, serve, signIn, until, visit } from "./browser.mjs";

const shop = serve();
const [OPEN, OIL_FILTER] = [6, "Oil filter, spin-on"];

/** End the session of a page on the server, as when its token expires. */
async function expire(page) {
  const token = await page.evaluate(() => sessionStorage.getItem("mechanic-shop.token"));
  assert.equal((await shop().call("POST", "/mechanics/logout", { token })).status, 204);
}

/** Sign in again over the page, which asks for it. */
async function signInAgain(page) {
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.waitFor();
  await signIn(page, "advisor");
  await dialog.waitFor({ state: "detached" });
}

visit("a page under which the server is restarted says so, goes on by itself, and keeps what is typed", shop, async (visitor) => {
  visitor.allow(/ERR_/);
  const page = await visitor.signIn("advisor", `/desk#/tickets/${OPEN}`);
  const notes = page.getByLabel("Notes for the staff");
  await notes.fill("Half a sen");
  await shop().stop();
  const banner = page.locator(".banner");
  await banner.getByText("The server does not answer").waitFor();
  await assertAccessible(page);
  await page.keyboard.type("tence");
  await page.getByLabel("Key tag").fill("40"); // leaving the notes sends them, in vain
  await shop().start();
  await banner.waitFor({ state: "detached" });
  await (await shop().as("admin"))("PUT", `/service-tickets/${OPEN}/edit`, { po_number: "PO-7" });
  await page.waitForFunction(() => [...document.querySelectorAll("input")].some(({ value }) => value === "PO-7"));
  assert.equal(await notes.inputValue(), "Half a sentence");
  const saved = (name) => page.waitForResponse((answer) => answer.ok() && (answer.request().postData() ?? "").includes(name));
  await Promise.all([saved("key_tag"), page.getByLabel("Key tag").press("Enter")]);
  await notes.focus();
  await Promise.all([saved("notes"), page.keyboard.press("Tab")]);
  const { key_tag, notes: kept } = await (await shop().as("admin"))("GET", `/service-tickets/${OPEN}`);
  assert.deepEqual([key_tag, kept], ["40", "Half a sentence"]);
});

visit("a page that is loaded while the server does not answer begins by itself once it does", shop, async (visitor) => {
  visitor.allow(/ERR_/);
  const page = await visitor.signIn("advisor", `/desk#/tickets/${OPEN}`);
  let refused = 0;
  await page.route(/\/me$/, (route) => {
    refused += 1;
    return route.abort("connectionrefused");
  });
  await page.reload();
  await page.locator(".banner").getByText("The server does not answer").waitFor();
  await until(() => refused > 5); // so often the client tries by itself
  await page.unroute(/\/me$/);
  await page.getByRole("heading", { name: `Ticket ${OPEN}` }).waitFor();
  await page.locator(".banner").waitFor({ state: "detached" });
  assert.equal(await page.locator(".notice").count(), 0);
});

visit("a session that ends in the middle of an intake loses nothing: it is sent after the sign-in", shop, async (visitor) => {
  visitor.allow(/401 /);
  const page = await visitor.signIn("advisor", "/desk#/new");
  await page.getByRole("combobox", { name: "Phone" }).fill("212 555 0171");
  await page.getByRole("combobox", { name: "Name" }).fill("Ines Prado");
  await expire(page);
  await page.getByLabel("Year, make, model").fill("2016 Honda Civic");
  await page.getByLabel("What is wrong").fill("It pulls to the left");
  await page.keyboard.press("Enter");
  await signInAgain(page);
  await page.waitForURL(/#\/tickets\/\d+$/);
  const ticket = await (await shop().as("admin"))("GET", `/service-tickets/${page.url().split("/").pop()}`);
  assert.deepEqual([ticket.customer.name, ticket.vehicle.model, ticket.description], ["Ines Prado", "Civic", "It pulls to the left"]);
});

visit("a session that ends while a receipt is typed loses nothing: it is booked once", shop, async (visitor) => {
  visitor.allow(/401 /);
  const page = await visitor.signIn("advisor", "/desk#/parts");
  const row = page.getByRole("row", { name: OIL_FILTER });
  await row.getByRole("button", { name: "Receive" }).click();
  await page.getByLabel("How many came").fill("1");
  await expire(page);
  await page.keyboard.type("2");
  await page.getByLabel("Delivery note").fill("DN 881");
  await page.keyboard.press("Enter");
  await assertAccessible(page);
  await signInAgain(page);
  await row.getByRole("cell", { name: "58", exact: true }).first().waitFor(); // of 46
  const api = await shop().as("admin");
  const [part] = await api("GET", "/inventory?sku=OIL-FLT-SP1");
  const movements = await api("GET", `/inventory/${part.id}/movements`);
  assert.equal(movements.filter(({ reason }) => reason === "DN 881").length, 1);
});
