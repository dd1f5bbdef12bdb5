// The board: moved by keyboard, mouse and finger; fresh, and steady under the hand.
import assert from "node:assert/strict";

import { assertAccessible, DESKTOP, PASSWORD, PHONE, serve, signIn, TABLET, until, visit } from "./browser.mjs";

const SLOWER = 4; // than the processor here
const MAX_DELAY = 100; // milliseconds
const SAMPLES = 8; // the best of which counts: what else runs on the machine is not the board's

const shop = serve();
let token;

/** Call the API as somebody else at the desk. */
async function call(method, path, body) {
  const credentials = { email: "admin@example.com", password: PASSWORD };
  token ??= (await shop().call("POST", "/mechanics/login", { body: credentials })).body.token;
  const answer = await shop().call(method, path, { body, token });
  assert.ok(answer.status < 300, JSON.stringify(answer));
  return answer.body;
}
const move = (id, status) => call("PUT", `/service-tickets/${id}/status`, { status });
const statusOf = async (id) => (await call("GET", `/service-tickets/${id}`)).status;
const newTicket = async (fields) => (await call("POST", "/service-tickets", { customer_id: 1, description: "Brakes", ...fields })).id;

const card = (page, id) => page.locator(`.board .card[data-id="${id}"]`);
const cardIn = (page, status, id) => page.locator(`.column[data-status="${status}"] .card[data-id="${id}"]`);
const focusOn = (page, id) => card(page, id).getByRole("link").focus();
const focused = (page) => page.evaluate(() => Number(document.activeElement.closest(".card")?.dataset.id));
/** The focus comes back to a card once a dialog is gone. */
const untilFocused = (page, id) => until(async () => (await focused(page)) === id);
/** Have the page ask the server now, as when it is shown again. */
const poll = (page) => page.evaluate(() => document.dispatchEvent(new window.Event("visibilitychange")));
/** Return once what has come is drawn, and what was drawn before it is measured. */
const nextFrame = (page) =>
  page.evaluate(() => new Promise((resolve) => window.requestAnimationFrame(() => window.requestAnimationFrame(resolve))));
const asked = (page) => page.waitForResponse((response) => response.url().includes("/service-tickets/board"));

async function drag(page, id, status, { drop = true } = {}) {
  const from = await card(page, id).boundingBox();
  const to = await page.locator(`.column[data-status="${status}"]`).boundingBox();
  await page.mouse.move(from.x + 20, from.y + 30);
  await page.mouse.down();
  await page.mouse.move(to.x + 60, to.y + 60, { steps: 5 });
  if (drop) await page.mouse.up();
}

visit("the board is dense, accessible at each size, and tells what is overdue", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-02T15:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).getByText("Overdue").waitFor();
  await page.getByRole("region", { name: /^Open \d+$/ }).waitFor();
  assert.ok((await card(page, id).boundingBox()).height < 130, "many cards fit on the screen");
  for (const size of [DESKTOP, TABLET, PHONE]) {
    await page.setViewportSize(size);
    await assertAccessible(page);
  }
});

visit("cards are reached, moved and opened by keyboard alone", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-02T14:00:00Z" }); // the first of its column
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(page), id);
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(page), id);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Shift+ArrowRight");
  await cardIn(page, "in_progress", id).waitFor();
  assert.equal(await focused(page), id);
  await page.getByRole("status").getByText(`Ticket ${id} is in progress now.`).waitFor();
  assert.equal(await statusOf(id), "in_progress");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Card below").waitFor();
  await page.keyboard.press("Escape");
  await untilFocused(page, id);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/desk#/tickets/${id}`);
});

visit("a move that is not allowed is taken back, and it says why and what to do", shop, async (visitor) => {
  visitor.allow(/409 PUT .*\/status/);
  const id = await newTicket({ status: "estimate", promised_at: "2020-01-02T14:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await focusOn(page, id);
  await page.keyboard.press("Shift+ArrowRight");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("A ticket that is estimate cannot become open here.").waitFor();
  await dialog.getByText("An estimate opens when the customer approves a job").waitFor();
  await assertAccessible(page);
  await page.keyboard.press("Escape");
  await cardIn(page, "estimate", id).waitFor();
  await untilFocused(page, id);
  await page.keyboard.press("Shift+ArrowRight");
  await dialog.waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/desk#/tickets/${id}`);
});

visit("cards are dragged by mouse, and a drag is given up by Esc", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-01T14:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await drag(page, id, "in_progress", { drop: false });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await cardIn(page, "open", id).waitFor();
  assert.equal(await page.locator(".ghost").count(), 0);
  await drag(page, id, "in_progress");
  await cardIn(page, "in_progress", id).waitFor();
  await until(async () => (await statusOf(id)) === "in_progress");
  assert.ok(!page.url().includes("tickets"), "the end of a drag opened the ticket");
});

visit("cards are dragged by a finger that rests first; one that does not scrolls", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-01T13:00:00Z" });
  const page = await visitor.signIn("advisor", "/desk", { viewport: { width: 1280, height: 800 }, hasTouch: true });
  await card(page, id).waitFor();
  const finger = await page.context().newCDPSession(page);
  const touch = (type, x, y) => finger.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y }] });
  const from = await card(page, id).boundingBox();
  const to = await page.locator('.column[data-status="in_progress"]').boundingBox();
  await touch("touchStart", from.x + 20, from.y + 30);
  await page.locator(".ghost").waitFor();
  await touch("touchMove", to.x + 60, from.y + 60);
  await touch("touchEnd");
  await cardIn(page, "in_progress", id).waitFor();
  await until(async () => (await statusOf(id)) === "in_progress");
  const there = await card(page, id).boundingBox();
  await touch("touchStart", there.x + 20, there.y + 30);
  await touch("touchMove", there.x + 20, there.y + 60);
  await touch("touchMove", from.x + 60, there.y + 60);
  await touch("touchEnd");
  await cardIn(page, "in_progress", id).waitFor();
  assert.equal(await page.locator(".ghost").count(), 0);
});

visit("the filter is remembered for the next visit, by whom it was set", shop, async (visitor) => {
  const page = await visitor.signIn("advisor");
  const { id: me } = (await call("GET", "/mechanics?per_page=100")).find(({ email }) => email === "advisor@example.com");
  const other = await newTicket({});
  const mine = await newTicket({ advisor_id: me });
  await card(page, other).waitFor();
  await page.getByRole("button", { name: "Mine" }).click();
  await card(page, other).waitFor({ state: "detached" });
  await card(page, mine).waitFor();
  const next = await page.context().newPage();
  await next.goto("/desk");
  await signIn(next, "advisor");
  await card(next, mine).waitFor();
  assert.equal(await card(next, other).count(), 0);
  const admin = await page.context().newPage();
  await admin.goto("/desk");
  await signIn(admin, "admin");
  await card(admin, other).waitFor();
  await next.getByLabel("Advisor").selectOption("Everyone");
  await card(next, other).waitFor();
});

visit("what others do is shown, and the focus stays on its card wherever it goes", shop, async (visitor) => {
  const [id, later] = [await newTicket({ promised_at: "2020-01-05T14:00:00Z" }), await newTicket({})];
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await focusOn(page, id);
  const first = await newTicket({ promised_at: "2020-01-01T12:00:00Z" });
  await card(page, first).waitFor();
  assert.equal(await focused(page), id);
  await move(id, "in_progress");
  await move(later, "in_progress");
  await cardIn(page, "in_progress", later).waitFor();
  await cardIn(page, "in_progress", id).waitFor();
  assert.equal(await focused(page), id);
});

visit("while a card is dragged nothing else moves", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-01T14:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await drag(page, id, "in_progress", { drop: false });
  const first = await newTicket({ promised_at: "2020-01-01T11:00:00Z" });
  const answered = asked(page);
  await poll(page);
  await answered;
  await nextFrame(page);
  assert.equal(await card(page, first).count(), 0);
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await card(page, first).waitFor();
});

visit("a card that somebody else has moved meanwhile is not moved on unseen", shop, async (visitor) => {
  const id = await newTicket({ promised_at: "2020-01-01T14:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  await page.route("**/service-tickets/board*", (route) => route.fulfill({ status: 304 }));
  await move(id, "in_progress");
  await move(id, "completed");
  await focusOn(page, id);
  await page.keyboard.press("Shift+ArrowRight"); // from completed this is allowed: rework
  await page.getByRole("dialog").getByText("it is completed now").waitFor();
  assert.equal(await statusOf(id), "completed");
  await page.unroute("**/service-tickets/board*");
  await page.keyboard.press("Escape");
  await cardIn(page, "completed", id).waitFor();
});

visit("hostile text shows as text, and widens nothing", shop, async (visitor) => {
  const name = `<img src=x onerror=alert(1)> \u202eabc ${"W".repeat(80)}`;
  const { id: customer_id } = await call("POST", "/customers", { name, phone: "+12125550333" });
  const text = `<b>${"x".repeat(50)}`;
  const { id: vehicle_id } = await call("POST", `/customers/${customer_id}/vehicles`, { make: text, model: text });
  const id = await newTicket({ customer_id, vehicle_id });
  const page = await visitor.signIn("advisor");
  await card(page, id).getByText("<img src=x onerror=alert(1)>").waitFor();
  await card(page, id).getByText(text).waitFor();
  const { scroll, width } = await page.locator(".column[data-status=open] ul").evaluate((list) => ({ scroll: list.scrollWidth, width: list.clientWidth }));
  assert.ok(scroll <= width);
});

/** Fill the board: 50 cards in each of four columns. */
async function fill() {
  const status = ["estimate", "open", "in_progress", "completed"];
  const make = async (number) => {
    const target = status[number % status.length];
    const promised_at = number % 3 ? `2030-01-01T10:00:${String(number % 60).padStart(2, "0")}Z` : null;
    const id = await newTicket({ promised_at, ...(target === "estimate" && { status: target }) });
    for (const step of status.slice(2, status.indexOf(target) + 1)) await move(id, step);
  };
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  await Promise.all([0, 1, 2, 3].map(async (lane) => { for (const number of numbers.filter((each) => each % 4 === lane)) await make(number); }));
}

visit("with 200 cards each key, drag and move answers within 100 ms on a processor four times slower", shop, async (visitor) => {
  await fill();
  const id = await newTicket({ promised_at: "2020-01-01T10:00:00Z" });
  const page = await visitor.signIn("advisor");
  await card(page, id).waitFor();
  assert.ok((await page.locator(".card").count()) >= 200);
  const processor = await page.context().newCDPSession(page);
  await processor.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.evaluate(() => {
    window.delays = [];
    const note = (list) => window.delays.push(...list.getEntries().map(({ name, duration }) => ({ name, duration })));
    new window.PerformanceObserver(note).observe({ type: "event", durationThreshold: 16 });
  });
  /** The shortest time from an event to what it changed on the screen, of several. */
  const delay = async (name, act) => {
    const delays = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      await page.evaluate(() => (window.delays = []));
      await act(sample);
      await nextFrame(page);
      const noted = await page.evaluate(() => window.delays);
      delays.push(Math.max(0, ...noted.filter((each) => each.name === name).map(({ duration }) => duration)));
    }
    return Math.min(...delays);
  };
  await focusOn(page, id);
  const found = {
    key: await delay("keydown", () => page.keyboard.press("ArrowDown")),
    aside: await delay("keydown", (sample) => page.keyboard.press(sample % 2 ? "ArrowLeft" : "ArrowRight")),
    move: await delay("keydown", async (sample) => {
      await focusOn(page, id);
      await page.keyboard.press(sample % 2 ? "Shift+ArrowLeft" : "Shift+ArrowRight");
      await page.getByText(`Ticket ${id} is ${sample % 2 ? "open" : "in progress"} now.`).waitFor({ state: "attached" });
    }),
    drag: await delay("pointerup", async (sample) => {
      await drag(page, id, sample % 2 ? "open" : "in_progress");
      await page.getByText(`Ticket ${id} is ${sample % 2 ? "open" : "in progress"} now.`).waitFor({ state: "attached" });
    }),
  };
  console.log(found);
  for (const [what, delayed] of Object.entries(found)) assert.ok(delayed < MAX_DELAY, `${what}: ${delayed} ms`);
});
