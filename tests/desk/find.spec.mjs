// The one box, and where it leads: the screens of customers and cars.
import assert from "node:assert/strict";

import { assertAccessible, serve, TABLET, visit } from "./browser.mjs";

const shop = serve();

/** Press `/` and type into the box, once the page listens. */
async function find(page, text) {
  await page.getByRole("combobox", { name: "Find" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(text);
}

const option = (page, name) => page.getByRole("listbox", { name: "Find" }).getByRole("option", { name }).first();
const tokenOf = (page) => page.evaluate(() => sessionStorage.getItem("mechanic-shop.token"));

visit("a plate, a phone, a name, the end of a VIN, a number and a part are found", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const box = page.getByRole("combobox", { name: "Find" });
  for (const [text, expected] of [
    ["8ABC123", /2003 Honda Accord/],
    ["(212) 555-0187", /Dana Whitfield/],
    ["whitf", /Dana Whitfield/],
    ["004352", /2003 Honda Accord/],
    ["6", /#6/],
    ["brake pads", /[Bb]rake pads/],
  ]) {
    await box.fill(text);
    await option(page, expected).waitFor();
  }
  await assertAccessible(page);
  await page.keyboard.press("Enter"); // the part
  await page.getByRole("row", { name: /[Bb]rake pads/ }).waitFor();
  assert.equal(await page.getByRole("rowheader").count(), 1);
});

visit("arrows and Enter lead to what is found, also where Enter comes before the answer", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  await find(page, "8ABC123");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/customers\/1\/vehicles\/1$/);
  await page.getByRole("heading", { name: "2003 Honda Accord" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await find(page, "dana whitfield");
  await option(page, /Dana Whitfield/).waitFor();
  while (!(await page.getByRole("option", { selected: true }).textContent()).includes("customer@example.com")) {
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/customers\/1$/);
});

visit("Esc goes back to where one was", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk#/customers/1");
  const link = page.getByRole("link", { name: "+12125550187" });
  await link.focus();
  await find(page, "whitf");
  await option(page, /Dana Whitfield/).waitFor();
  await page.keyboard.press("Escape");
  await link.and(page.locator(":focus")).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Find" }).inputValue(), "");
  assert.match(page.url(), /#\/customers\/1$/);
});

visit("what is not found begins a ticket with what was typed", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  for (const [text, label] of [["(646) 555-0199", "Phone"], ["ZZZ9999", "Plate"], ["<b>Nobody</b> \u202eknown", "Name"]]) {
    await find(page, text);
    await option(page, /New ticket with/).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/new$/);
    const field = page.getByRole("combobox", { name: label });
    await field.waitFor();
    assert.equal(await field.inputValue(), text);
    await page.goto("/desk#/customers/1");
    await page.getByRole("heading", { name: "Dana Whitfield" }).waitFor();
  }
});

visit("declined work is offered again on an open ticket and on a new one", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk#/customers/1/vehicles/1");
  await page.getByText("Rear struts").first().waitFor();
  await assertAccessible(page);
  await page.setViewportSize(TABLET);
  await assertAccessible(page);
  const isWhole = (table) => table.scrollWidth <= table.clientWidth;
  for (const table of await page.locator(".scrolls").all()) assert.ok(await table.evaluate(isWhole), "A table fits on a tablet.");
  await page.getByRole("link", { name: "Offer on a new ticket" }).click();
  assert.ok(await page.getByRole("checkbox", { name: /Rear struts/ }).isChecked());
  await page.goto("/desk#/customers/1/vehicles/1");
  await page.getByRole("button", { name: "Offer on #6" }).click();
  await page.getByText("Rear struts is proposed on #6").waitFor();
  await page.getByRole("button", { name: "Offer on #6" }).waitFor({ state: "detached" });
  const { body } = await shop().call("GET", "/service-tickets/6", { token: await tokenOf(page) });
  assert.ok(body.jobs.some(({ name, status }) => name === "Rear struts" && status === "proposed"));
});

visit("two people change a customer, and neither loses a change", shop, async (visitor) => {
  visitor.allow(/412 PUT .*\/customers\/2/);
  const [one, other] = [await visitor.signIn("advisor", "/desk#/customers/2"), await visitor.signIn("admin", "/desk#/customers/2")];
  for (const page of [one, other]) await page.getByRole("button", { name: "Change" }).click();
  await other.getByLabel("Address").fill("1 New Street");
  await other.getByLabel("Name").fill("Luis A. Ortega");
  await other.keyboard.press("Enter");
  await other.getByRole("heading", { name: "Luis A. Ortega" }).waitFor();
  await one.getByLabel("Phone").fill("212 555 0111");
  await one.getByLabel("Name").fill("Luis B. Ortega");
  await one.keyboard.press("Enter");
  await one.getByRole("alert").getByText("Somebody else changed this meanwhile").waitFor();
  assert.equal(await one.getByLabel("Address").inputValue(), "1 New Street");
  assert.equal(await one.getByLabel("Name").inputValue(), "Luis B. Ortega");
  await one.getByText("Meanwhile: Luis A. Ortega").waitFor();
  await one.keyboard.press("Enter");
  await one.getByRole("heading", { name: "Luis B. Ortega" }).waitFor();
  await one.getByText("1 New Street").waitFor();
  await one.getByText("+12125550111").waitFor();
});

visit("a mechanic may change a car, and no customer", shop, async (visitor) => {
  visitor.allow(/409 PUT .*\/vehicles\/2/);
  const page = await visitor.signIn("mechanic", "/desk#/customers/2");
  await page.getByRole("heading", { name: /Ortega/ }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Change" }).count(), 0);
  await page.getByRole("link", { name: /F-150/ }).click();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("Odometer").fill("7");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "It is right" }).click();
  await page.getByText("Odometer").locator("..").getByText("7", { exact: true }).waitFor();
});
