// Text of others is text: markup, marks of direction and five hundred characters in every field that takes free text.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { DESKTOP, isWider, PASSWORD, PHONE, serve, visit } from "./browser.mjs";

const shop = serve();
const MARK = "<b id=evil>";
const HOSTILE = `${MARK}\u202Eab שלום\u2067<img src=x onerror=alert(1)><script>alert(2)</script>"'&lt; ${"W".repeat(420)}`;
const { schemas } = JSON.parse(await readFile(new URL("../../docs/openapi.json", import.meta.url), "utf8")).components;

/** A body of this schema with hostile text in each field that takes free text, as long as it may be up to 500. */
function hostile(schema, given = {}) {
  const isFree = ({ type, pattern, format }) => [type].flat().includes("string") && !format && (pattern ?? "").startsWith("^[^\\u0000");
  const free = Object.entries(schemas[schema].properties).filter(([, property]) => isFree(property));
  assert.ok(free.length, schema);
  return { ...Object.fromEntries(free.map(([name, { maxLength }]) => [name, HOSTILE.slice(0, Math.min(maxLength, 500))])), ...given };
}

/** Write a customer, car, mechanic, part and ticket, all of them hostile. Returns the addresses that show them. */
async function fill() {
  const api = await shop().as("admin");
  const mechanic = await api("POST", "/mechanics", hostile("NewMechanic", { email: "evil@example.com", password: PASSWORD, role: "mechanic" }));
  const part = await api("POST", "/inventory", hostile("NewPart", { price: "5.00", quantity_on_hand: 1, reorder_point: 3 }));
  await api("POST", `/inventory/${part.id}/movements`, hostile("NewMovement", { kind: "receive", quantity: 1 }));
  const customer = hostile("WalkIn", { phone: "+12125550999" });
  const vehicle = hostile("NewVehicle", { year: 2014, plate: "EVIL1" });
  const ticket = await api("POST", "/service-tickets", hostile("NewTicket", { customer, vehicle }));
  const path = `/service-tickets/${ticket.id}`;
  const labor = [hostile("LaborFields", { hours: "1" })];
  const fees = [hostile("FeeFields", { kind: "fee", amount: "3.00" })];
  const job = () => hostile("NewJob", { labor, fees, parts: [{ part_id: part.id, quantity: 1 }] });
  await api("POST", `${path}/jobs`, job());
  const { id } = await api("POST", `${path}/jobs`, { ...job(), status: "proposed" });
  await api("POST", `${path}/authorizations`, hostile("NewAuthorization", { method: "phone", jobs: [{ id, decision: "declined" }] }));
  await api("POST", `${path}/jobs`, { ...job(), status: "proposed" });
  await api("PUT", `${path}/edit`, { add_mechanic_ids: [mechanic.id], key_tag: `${MARK}9`, notes: HOSTILE });
  const link = new URL((await api("POST", `${path}/approval-link`, {})).url).pathname;
  const owner = `/customers/${ticket.customer_id}`;
  return { link, screens: ["/board", `/tickets/${ticket.id}`, "/parts", "/parts/low", owner, `${owner}/vehicles/${ticket.vehicle_id}`] };
}

/** What hostile text has done to a page: elements that it made, and where it turns words beside it. */
const harm = (page) =>
  page.evaluate((mark) => {
    const made = [...document.querySelectorAll("#evil, body img, body script")].map((element) => `made: ${element.outerHTML}`);
    /** Whether nothing keeps the text from what stands beside it: no isolation, and no block or cell of its own. */
    const turns = (element) => {
      const { unicodeBidi, display } = getComputedStyle(element);
      if (/isolate|plaintext/.test(unicodeBidi) || display !== "inline") return false;
      return element.parentElement.textContent !== element.textContent || turns(element.parentElement);
    };
    const texts = document.createTreeWalker(document.body, window.NodeFilter.SHOW_TEXT);
    const turned = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (text.data.includes(mark.slice(0, 8)) && !parent.matches("option") && (turns(parent) || text.data.length < parent.textContent.length)) {
        turned.push(`turned: ${parent.outerHTML.slice(0, 120)}`);
      }
    }
    return [...made, ...turned];
  }, MARK);

const tells = (page) =>
  page.waitForFunction((mark) => [...document.querySelectorAll("input, textarea")].some(({ value }) => value.includes(mark)) || document.body.innerText.includes(mark), MARK);

async function assertHarmless(page, where) {
  await tells(page);
  for (const size of [PHONE, DESKTOP]) {
    await page.setViewportSize(size);
    assert.ok(!(await isWider(page)), `${where} is wider than ${size.width}`);
  }
  assert.deepEqual(await harm(page), [], where);
}

visit("hostile text shows as text on every screen, makes nothing, turns nothing beside it, and breaks no layout", shop, async (visitor) => {
  const { link, screens } = await fill();
  const page = await visitor.signIn("admin");
  for (const path of screens) {
    await page.evaluate((hash) => (location.hash = hash), path);
    await assertHarmless(page, path);
  }
  await page.goto(`/desk#${screens[1]}`);
  await page.getByRole("button", { name: /^Approve/ }).click();
  await page.getByRole("dialog").waitFor();
  await assertHarmless(page, "the decision");
  const customer = await visitor.open(link);
  await customer.getByText("What is in the price").first().click();
  await assertHarmless(customer, "the approval page");
  await assertHarmless(await visitor.signIn("evil"), "the bay");
});

visit("hostile text is found, and offered, as text", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  await page.getByRole("combobox", { name: "Find" }).fill("<b id=evil>");
  await page.getByRole("option").first().waitFor();
  assert.deepEqual(await harm(page), []);
});
