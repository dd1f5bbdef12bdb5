// The page behind an approval link, on a phone: what a customer sees, chooses, signs and keeps.
import assert from "node:assert/strict";

import { assertAccessible, PASSWORD, PHONE, serve, until, visit } from "./browser.mjs";

const HOSTILE = "<img src=x onerror=alert(1)> \u202eevil\u202c &amp;";
const shop = serve({ PARTS_TAX_RATE: "8.25", LABOR_TAX_RATE: "4", SUPPLIES_RATE: "5", SHOP_PHONE: "212 555 0199" });
let number = 1000;

const job = (name, hours = "2") => ({ name, labor: [{ description: `${name}: labor`, hours }] });

/** A client of the API, signed in as the advisor, with a quote of these jobs and an approval link to it. */
async function quote(...jobs) {
  const { token } = (await shop().call("POST", "/mechanics/login", { body: { email: "advisor@example.com", password: PASSWORD } })).body;
  const call = async (method, path, body) => {
    const answer = await shop().call(method, path, { body, token });
    assert.ok(answer.status < 400, `${path} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  number += 1;
  const ticket = await call("POST", "/service-tickets", {
    customer: { name: "Dana Whitfield", phone: `212 555 ${number}` },
    vehicle: { plate: `AP ${number}`, make: "Honda", model: "Civic", year: 2014 },
    ...{ description: "Noise in front", status: "estimate" },
  });
  const path = `/service-tickets/${ticket.id}`;
  const ids = [];
  for (const each of jobs) ids.push((await call("POST", `${path}/jobs`, each)).id);
  const link = new URL((await call("POST", `${path}/approval-link`, {})).url).pathname;
  return { call, path, ids, link, api: link.replace("/approve/", "/approvals/") };
}

const jobOf = (page, name) => page.getByRole("group", { name });
const choose = (page, name, decision) => jobOf(page, name).getByLabel(decision).check();
const confirm = (page, label) => page.getByRole("button", { name: label });
const dollars = (amount) => `$${amount}`;
const PRICE = /^Approve for \$/;

visit("one of two jobs is approved by keyboard, for the total of the API, and what was recorded stays", shop, async (visitor) => {
  const { call, path, ids, link, api } = await quote(job("Front brakes", "1.7"), job("Front strut"));
  const page = await visitor.open(link, { viewport: PHONE });
  await confirm(page, "Approve or decline each job").waitFor();
  assert.equal(await page.locator(":checked").count(), 0, "Nothing is chosen beforehand.");
  await assertAccessible(page);

  await jobOf(page, "Front brakes").getByLabel("Approve").focus();
  await page.keyboard.press("Space");
  await confirm(page, "1 left to decide").waitFor();
  await page.keyboard.press("Tab"); // to the lines of the next job
  await page.keyboard.press("Enter");
  await page.getByText("Front strut: labor").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  assert.ok(await jobOf(page, "Front strut").getByLabel("Decline").isChecked());
  const decided = [{ id: ids[0], decision: "approved" }, { id: ids[1], decision: "declined" }];
  const { total } = await call("POST", `${api}?dry_run=true`, { jobs: decided });
  await confirm(page, `Approve for ${dollars(total)}`).waitFor();
  await page.getByRole("status").getByText(dollars(total)).waitFor();

  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); // without a name
  assert.ok(await page.getByLabel("Your full name").evaluate((input) => input === document.activeElement && !input.validity.valid));
  await page.keyboard.type("Dana Whitfield");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `You approved work for ${dollars(total)}` }).waitFor();
  await assertAccessible(page);

  const [recorded] = await call("GET", `${path}/authorizations`);
  assert.deepEqual([recorded.method, recorded.said_by, recorded.amount], ["link", "Dana Whitfield", total]);
  assert.deepEqual(recorded.jobs.map(({ id, status }) => ({ id, decision: status })), decided);
  await page.reload();
  await page.getByText("Signed by Dana Whitfield").waitFor();
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.getByText("Front brakes: labor").isVisible(), "Paper unfolds what a price is made of.");
});

visit("the token stays in the address", shop, async (visitor) => {
  const { link } = await quote(job("Front brakes"));
  const token = link.split("/").pop();
  const page = await visitor.open(null, { viewport: PHONE });
  const requests = [];
  page.on("request", (request) => requests.push(request));
  await page.goto(link);
  await choose(page, "Front brakes", "Approve");
  await page.getByLabel("Your full name").fill("Dana Whitfield");
  await confirm(page, PRICE).click();
  await page.getByText("Signed by").waitFor();
  const told = () => JSON.stringify([document.title, { ...localStorage }, { ...sessionStorage }, window.history.state, document.cookie]);
  assert.ok(!(await page.evaluate(told)).includes(token));
  assert.equal(await page.evaluate(() => window.history.length), 2); // the empty page that each browser begins with, and this one
  for (const request of requests) {
    assert.equal((await request.allHeaders()).referer, undefined, request.url());
    assert.equal(new URL(request.url()).origin, shop().address);
  }
});

visit("all can be declined, without a name", shop, async (visitor) => {
  const { call, path, link } = await quote(job("Front brakes"));
  const page = await visitor.open(link, { viewport: PHONE });
  await choose(page, "Front brakes", "Decline");
  await page.getByRole("status").getByText("Nothing approved").waitFor();
  await confirm(page, /^Decline$/).click();
  await page.getByRole("heading", { name: "You declined this work" }).waitFor();
  assert.equal((await call("GET", path)).status, "declined");
});

visit("a link that was answered, and one that never was, say so, and whom to phone", shop, async (visitor) => {
  visitor.allow(/410 GET/, /404 GET .*\/approvals\//);
  const { call, ids, link, api } = await quote(job("Front brakes"));
  const { version } = await call("GET", api);
  await call("POST", api, { jobs: [{ id: ids[0], decision: "declined" }], version });
  for (const [path, title] of [[link, "This link was answered"], ["/approve/nonsense", "This link does not work"]]) {
    const page = await visitor.open(path, { viewport: PHONE });
    await page.getByRole("heading", { name: title }).waitFor();
    assert.equal(await page.getByRole("link", { name: "+12125550199" }).getAttribute("href"), "tel:+12125550199");
    assert.equal(await page.getByText("Front brakes").count(), 0);
    await assertAccessible(page);
  }
});

visit("what the shop changed meanwhile is shown, and asked anew; other choices are kept", shop, async (visitor) => {
  visitor.allow(/409 POST/);
  const { call, path, ids, link } = await quote(job("Front brakes"), job("Front strut"));
  const page = await visitor.open(link, { viewport: PHONE });
  await choose(page, "Front brakes", "Approve");
  await choose(page, "Front strut", "Approve");
  await page.getByLabel("Your full name").fill("Dana Whitfield");
  await confirm(page, PRICE).waitFor();
  await call("PUT", `${path}/jobs/${ids[1]}`, job("Front strut", "3"));
  await call("POST", `${path}/jobs`, job("Wiper blades", "0.2"));
  await confirm(page, PRICE).click();
  await confirm(page, "2 left to decide").waitFor();
  const banner = page.locator(".banner");
  assert.match(await banner.textContent(), /changed something/);
  assert.ok(await banner.evaluate((element) => element === document.activeElement));
  assert.ok(await jobOf(page, "Front brakes").getByLabel("Approve").isChecked());
  assert.equal(await page.getByLabel("Your full name").inputValue(), "Dana Whitfield");
  await jobOf(page, "Front strut").getByText("Changed").waitFor();
  await jobOf(page, "Wiper blades").getByText("New").waitFor();
  await assertAccessible(page);
  await choose(page, "Front strut", "Decline");
  await choose(page, "Wiper blades", "Approve");
  await confirm(page, PRICE).click();
  await page.getByText("Signed by").waitFor();
  assert.deepEqual((await call("GET", path)).jobs.map(({ status }) => status), ["approved", "declined", "approved"]);
});

visit("an answer whose response was lost is recorded once, and shown", shop, async (visitor) => {
  visitor.allow(/ERR_/, /410 GET/); // it looks again once the server can be reached
  const { call, path, link, api } = await quote(job("Front brakes"));
  const page = await visitor.open(link, { viewport: PHONE });
  await choose(page, "Front brakes", "Approve");
  await page.getByLabel("Your full name").fill("Dana Whitfield");
  await confirm(page, PRICE).waitFor();
  let lost = 0;
  await page.route(`**${api}`, async (route) => {
    if (route.request().method() === "GET" || lost) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort("connectionreset");
  });
  await confirm(page, PRICE).click();
  await page.getByText("Signed by Dana Whitfield").waitFor();
  assert.equal(lost, 1);
  assert.equal((await call("GET", `${path}/authorizations`)).length, 1);
});

visit("with the server gone the page says so, keeps what was chosen, and goes on by itself", shop, async (visitor) => {
  visitor.allow(/ERR_/);
  const { link } = await quote(job("Front brakes"));
  const page = await visitor.open(link, { viewport: PHONE });
  await page.getByLabel("Your full name").fill("Dana Whitfield");
  await shop().stop();
  await choose(page, "Front brakes", "Approve");
  await page.getByText("does not answer").first().waitFor();
  await shop().start();
  await until(() => confirm(page, PRICE).isVisible());
  assert.equal(await page.getByText("does not answer").count(), 0);
  await confirm(page, PRICE).click();
  await page.getByText("Signed by").waitFor();
});

visit("hostile text is text, and nothing is wider than a small phone or too small for a thumb", shop, async (visitor) => {
  const long = "x".repeat(120);
  const { link } = await quote({ ...job(HOSTILE), notes: HOSTILE + "n".repeat(500) }, job(long.slice(0, 100)));
  const page = await visitor.open(link, { viewport: { width: 320, height: 640 } });
  await jobOf(page, HOSTILE).waitFor();
  await page.getByText("What is in the price").first().click();
  await page.getByText(`${HOSTILE}: labor`).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  for (const target of await page.locator(".options label, summary, button, .field input").all()) {
    assert.ok((await target.boundingBox()).height >= 44, await target.innerText());
  }
  await assertAccessible(page);
});

visit("without scripts it says what to do", shop, async (visitor) => {
  const page = await visitor.open("/approve/any", { viewport: PHONE, javaScriptEnabled: false });
  await page.getByText("phone the shop").waitFor();
});
