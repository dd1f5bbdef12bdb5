// Parts: what came in and what was counted, by keyboard; what is low or short; two who change one part.
import assert from "node:assert/strict";

import { serve, TABLET, visit } from "./browser.mjs";

const shop = serve();
const OIL = "Engine oil 5W-30, quart";
const FILTER = "Oil filter, spin-on";
const BATTERY = "Battery, group 35, 640 CCA";

const row = (page, name) => page.getByRole("row", { name });
const focused = (locator) => locator.page().locator(":focus").and(locator).waitFor();
/** The cell of a part in the column of this name. */
const cell = (page, name, text) => row(page, name).getByRole("cell", { name: text, exact: true }).first();

async function partOf(name, role = "admin") {
  const api = await shop().as(role);
  const [part] = await api("GET", `/inventory?q=${encodeURIComponent(name)}`);
  return { part, api, movements: () => api("GET", `/inventory/${part.id}/movements?sort=-id`) };
}

visit("several receipts are booked one after the other by keyboard, and the shelf is fresh at once", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk#/parts");
  for (const [name, count, note, now] of [[OIL, "12.5", "DN 1", "132.5"], [FILTER, "4", "DN 2", "50"]]) {
    const receive = row(page, name).getByRole("button", { name: "Receive" });
    await receive.focus();
    await page.keyboard.press("Enter");
    await focused(page.getByLabel("How many came"));
    await page.keyboard.type(count);
    await page.keyboard.press("Tab");
    await page.keyboard.type(note);
    await page.keyboard.press("Enter");
    await cell(page, name, now).waitFor();
    await focused(receive);
  }
  const [last] = await (await partOf(OIL)).movements();
  assert.deepEqual([last.kind, last.quantity, last.reason], ["receive", 12.5, "DN 1"]);
});

visit("what was counted is adjusted with a reason; a refusal stands at its field, and what is typed stays", shop, async (visitor) => {
  visitor.allow(/(409|422) POST .*\/movements/);
  const page = await visitor.signIn("advisor", "/desk#/parts");
  const { movements } = await partOf(BATTERY);
  const before = (await movements()).length;
  await row(page, BATTERY).getByRole("button", { name: "Adjust" }).click();
  const count = page.getByLabel(/How many more/);
  await page.keyboard.type("a few");
  await page.keyboard.press("Enter");
  await page.locator(".field.invalid").filter({ has: count }).getByRole("alert").waitFor();
  assert.equal(await count.inputValue(), "a few");
  await count.fill("−1"); // the sign that the label names, which is no hyphen
  await page.getByLabel("Why").fill("");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
  assert.equal((await movements()).length, before, "Nothing is adjusted without a reason.");
  await page.getByLabel("Why").fill("Cracked");
  await page.keyboard.press("Enter");
  await count.waitFor({ state: "detached" });
  const [{ kind, quantity, reason }] = await movements();
  assert.deepEqual([kind, quantity, reason], ["adjust", -1, "Cracked"]);
  await row(page, BATTERY).getByRole("button", { name: "Movements" }).click();
  await page.getByRole("listitem").filter({ hasText: /^-1 Adjust.*Cracked/ }).getByText("Marcus Bell").waitFor();
});

visit("two who change one part both keep what they changed", shop, async (visitor) => {
  visitor.allow(/412 PUT .*\/inventory\//);
  const [one, other] = [await visitor.signIn("advisor", "/desk#/parts?q=IGN-PLG-IR"), await visitor.signIn("admin", "/desk#/parts?q=IGN-PLG-IR")];
  for (const page of [one, other]) await page.getByRole("button", { name: "Change" }).click();
  await other.getByLabel("Location").fill("C9-09");
  await other.getByLabel("Price", { exact: true }).fill("15.00");
  await other.keyboard.press("Enter");
  await other.getByRole("dialog").waitFor({ state: "detached" });
  await one.getByLabel("Price", { exact: true }).fill("14.50");
  await one.getByLabel("Reorder at").fill("20");
  await one.keyboard.press("Enter");
  await one.getByRole("alert").getByText("Somebody else changed this meanwhile").waitFor();
  await one.getByText("Meanwhile: 15.00").waitFor();
  assert.equal(await one.getByLabel("Location").inputValue(), "C9-09");
  await one.keyboard.press("Enter");
  await one.getByRole("dialog").waitFor({ state: "detached" });
  const { part } = await partOf("IGN-PLG-IR");
  assert.deepEqual([part.price, part.location, part.reorder_point], ["14.50", "C9-09", 20]);
});

visit("what is low, and which tickets wait for parts, stand in views of their own", shop, async (visitor) => {
  const { part, api } = await partOf("Strut assembly");
  const { id } = await api("POST", "/service-tickets", { customer_id: 2, vehicle_id: 2, description: "Both struts" });
  await api("PUT", `/service-tickets/${id}/add-part/${part.id}`, { quantity: 5, backorder: true });
  const page = await visitor.signIn("advisor", "/desk#/parts");
  await row(page, OIL).waitFor();
  await page.getByRole("link", { name: "Low", exact: true }).click();
  await row(page, part.name).waitFor();
  assert.equal(await row(page, OIL).count(), 0);
  await page.getByRole("link", { name: "Short", exact: true }).click();
  const waiting = row(page, `#${id}`);
  const { quantity_short: short } = (await api("GET", `/service-tickets/${id}`)).parts[0];
  await waiting.getByText(`${short} ${part.name}`).waitFor();
  await waiting.getByRole("link", { name: `#${id}` }).click();
  await page.getByRole("heading", { name: `Ticket ${id}` }).waitFor();
});

visit("parts are found by name or SKU", shop, async (visitor) => {
  const page = await visitor.signIn("advisor", "/desk#/parts");
  const box = page.getByRole("searchbox", { name: "Find by name or SKU" });
  for (const [text, name] of [["wip-24", "Wiper blade, 24 in"], ["charcoal", "Cabin filter, charcoal"]]) {
    await box.fill(text);
    await row(page, name).waitFor();
    await row(page, OIL).waitFor({ state: "detached" });
  }
  await box.fill("nothing like it");
  await page.getByText("No part is called so.").waitFor();
});

visit("a mechanic sees the shelf and what moved, and changes nothing", shop, async (visitor) => {
  const page = await visitor.signIn("mechanic", "/desk#/parts", { viewport: TABLET, hasTouch: true });
  await row(page, OIL).getByRole("button", { name: "Movements" }).tap();
  await page.getByRole("listitem").filter({ hasText: "+120" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const offered = await page.locator("main button").allInnerTexts();
  assert.deepEqual([...new Set(offered)], ["Movements"]);
});
