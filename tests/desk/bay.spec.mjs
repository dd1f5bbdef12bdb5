// The bay, on a tablet: a mechanic lands among their own tickets, and works on one with a finger.
import assert from "node:assert/strict";

import { serve, TABLET, visit } from "./browser.mjs";

const shop = serve();
const [OF_OTHERS, OWN] = [3, 7]; // tickets of the demo shop
const BAY = { viewport: TABLET, hasTouch: true };

const card = (page, id) => page.locator(`.bay a[href="#/tickets/${id}"]`);
const read = async (id) => (await shop().as("admin"))("GET", `/service-tickets/${id}`);

visit("a mechanic lands among their own tickets, the first promised first, and Esc leads back there", shop, async (visitor) => {
  const api = await shop().as("advisor");
  const { id } = await api("POST", "/service-tickets", { customer_id: 5, vehicle_id: 5, description: "Hums", promised_at: "2020-01-02T15:00:00Z" });
  await api("PUT", `/service-tickets/${id}/edit`, { add_mechanic_ids: [3], notes: "Key in the box" });
  const page = await visitor.signIn("mechanic", "/desk", BAY);
  await card(page, id).waitFor();
  assert.equal(await page.locator(".bay a").first().getAttribute("href"), `#/tickets/${id}`);
  assert.equal(await card(page, OF_OTHERS).count(), 0);
  for (const text of ["Hums", "Key in the box", "2015 Mazda CX-5"]) await card(page, id).getByText(text).waitFor();
  await card(page, OWN).getByText("Front brakes").waitFor();
  assert.equal(await card(page, OWN).getByText("Front struts").count(), 0, "What was declined is no work.");
  await card(page, OWN).tap();
  await page.getByRole("heading", { name: `Ticket ${OWN}` }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "My tickets" }).waitFor();
});

visit("hours are written beyond what was authorised only after the customer was asked, by a proposed job", shop, async (visitor) => {
  visitor.allow(/409 POST .*\/labor/);
  const page = await visitor.signIn("mechanic", `/desk#/tickets/${OWN}`, BAY);
  const job = page.getByRole("region", { name: "Front brakes" });
  await job.getByRole("button", { name: "+ Labor" }).tap();
  await page.getByLabel("Labor", { exact: true }).fill("Seized bolts");
  await page.getByLabel("Hours").fill("9");
  await page.getByRole("button", { name: "Add labor" }).tap();
  await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
  assert.equal(await page.getByLabel("Labor", { exact: true }).inputValue(), "Seized bolts");
  await page.getByRole("group", { name: "Add a labor" }).getByRole("button", { name: "Close" }).tap();
  await page.getByRole("button", { name: "New job" }).tap();
  await page.getByRole("combobox", { name: "Job" }).fill("Seized bolts");
  await page.getByRole("button", { name: "Propose job" }).tap();
  const finding = page.getByRole("region", { name: "Seized bolts" });
  await finding.getByText("Proposed").waitFor();
  await finding.getByRole("button", { name: "+ Labor" }).tap();
  await page.getByLabel("Labor", { exact: true }).fill("Drill them out");
  await page.getByLabel("Hours").fill("1.2");
  await page.getByRole("button", { name: "Add labor" }).tap();
  await page.getByRole("row", { name: /Drill them out/ }).waitFor();
  const { name, status, labor } = (await read(OWN)).jobs.at(-1);
  assert.deepEqual([name, status, labor[0].hours], ["Seized bolts", "proposed", "1.2"]);
  assert.equal(labor[0].mechanic_id, 3, "The hours are those of who writes them.");
});

visit("a ticket is begun and completed in the bay, and leaves it", shop, async (visitor) => {
  const api = await shop().as("advisor");
  const { id } = await api("POST", "/service-tickets", { customer_id: 4, vehicle_id: 4, description: "Rotate tires" });
  await api("PUT", `/service-tickets/${id}/assign-mechanic/3`);
  const page = await visitor.signIn("mechanic", "/desk", BAY);
  await card(page, id).tap();
  await page.getByRole("button", { name: "Start work" }).tap();
  await page.getByRole("button", { name: "Complete" }).tap();
  await page.locator(".badge.completed").waitFor();
  await page.getByRole("link", { name: "My tickets" }).tap();
  await card(page, OWN).waitFor();
  assert.equal(await card(page, id).count(), 0);
  assert.equal((await read(id)).status, "completed");
});

visit("all that a finger meets in the bay is large enough for it", shop, async (visitor) => {
  const page = await visitor.signIn("mechanic", "/desk", BAY);
  const small = (within) =>
    page.locator(`${within} :is(a, button, input:not([type=checkbox], [type=radio]), select, textarea):visible`).evaluateAll((all) =>
      all.filter((element) => element.getBoundingClientRect().height < 44).map((element) => element.outerHTML),
    );
  await card(page, OWN).waitFor();
  assert.deepEqual(await small("main"), []);
  await card(page, OWN).tap();
  await page.locator(".history li").first().waitFor();
  assert.deepEqual(await small(".ticket > header, .jobs, .details"), []);
});
