// What holds on every screen: axe finds nothing grave, keys alone reach all of it, the focus is seen and never lost. A
// screen that is new in `SCREENS` of app.js fails here until an address of it is tried.
import assert from "node:assert/strict";

import { assertAccessible, DESKTOP, isWider, PHONE, serve, signIn, TABLET, until, visit } from "./browser.mjs";

const shop = serve();
// Tickets of the demo shop.
const [PAID, INVOICED, COMPLETED, QUOTE, OPEN, AT_WORK] = [1, 2, 4, 5, 6, 7];

/** Addresses of each screen, and what is there once it is drawn. */
const SCREENS = [
  ["/board", ".card"],
  ["/new", "[name=description]"],
  ...[INVOICED, QUOTE, OPEN].map((id) => [`/tickets/${id}`, ".history li"]),
  ["/parts", "tbody tr"],
  ["/parts/short", "text=waits for parts"],
  ["/bay", "text=Nothing is assigned"],
  ["/customers/1", "tbody a"],
  ["/customers/1/vehicles/1", ".deferred li"],
];
/** More of them, for what they open. */
const MORE = [PAID, COMPLETED, AT_WORK].map((id) => [`/tickets/${id}`, ".history li"]);
/** All dialogs but those that need more than a press: of others' changes, refusals, what is on record, an ended session. */
const DIALOGS = [
  ...["Keys", "What the customer decided", "Approval link", "Balance", "Invoice ticket", "Reopen ticket", "Void ticket"],
  ...["Complete ticket", "Change the customer", "Change the car", "Brake pads, front, ceramic"],
];

async function show(page, [path, sign]) {
  await page.evaluate((hash) => (location.hash = hash), path);
  await page.locator("main").locator(sign).first().waitFor();
}

const isFocusLost = (page) => page.evaluate(() => document.activeElement === document.body);
const keepsFocus = (page, after) =>
  page.waitForFunction(() => document.activeElement !== document.body).catch(() => assert.fail(`The focus is lost after ${after}.`));

visit("every screen is accessible in light and dark, and fits on a desk, a tablet and a phone", shop, async (visitor) => {
  const source = await (await fetch(`${shop().address}/desk/app.js`)).text();
  const [, table] = /const SCREENS = \[(.*?)\n\];/s.exec(source);
  const patterns = [...table.matchAll(/\[\/(.+)\/, \w+\]/g)].map(([, pattern]) => new RegExp(pattern));
  assert.ok(patterns.length > 5, "The screens are found in app.js.");
  assert.deepEqual(patterns.filter((pattern) => !SCREENS.some(([path]) => pattern.test(path))), []);

  const page = await visitor.signIn("admin");
  for (const screen of SCREENS) {
    await show(page, screen);
    for (const size of [TABLET, PHONE, DESKTOP]) {
      await page.setViewportSize(size);
      assert.ok(!(await isWider(page)), `${screen[0]} is wider than ${size.width}`);
      if (size !== TABLET) await assertAccessible(page);
    }
  }
});

/** Refuse every change, so that each button can be pressed. */
const refuseChanges = (page) =>
  page.route(/./, (route) => {
    const request = route.request();
    if (request.method() === "GET" || request.url().includes("dry_run")) return route.continue();
    const json = { type: "/problems/conflict", title: "Conflict", status: 409, detail: "Nothing is changed here." };
    return route.fulfill({ status: 409, contentType: "application/problem+json", json });
  });

/** Returns a function that waits until the page has drawn the answers to all that it asked. */
function following(page) {
  const asked = new Set();
  page.on("request", (request) => asked.add(request));
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => asked.delete(request));
  const drawn = () => page.evaluate(() => new Promise((resolve) => window.requestAnimationFrame(() => setTimeout(resolve))));
  return async () => {
    await drawn();
    await until(() => asked.size === 0);
    await drawn();
  };
}

/** What each button of a screen says; those that rows repeat, once. Papers open a tab. */
const buttonsOf = (page) =>
  page.locator("main button:visible:enabled:not(.papers button)").evaluateAll((all) => [...new Set(all.map((button) => button.innerText))]);

const button = (page, text) =>
  page.locator("main button:visible").filter({ hasText: new RegExp(`^\\s*${text.replace(/[^\w\s]/g, "\\$&").replace(/\s+/g, "\\s*")}\\s*$`) }).first();

/** Look at what a press has opened, the first time, and close it. */
async function look(page, seen, settled) {
  await settled();
  const [opened, toggle] = await page.evaluate(() => {
    const [focused, dialog] = [document.activeElement, document.querySelector("dialog[open]")];
    const form = dialog ?? focused.closest(".inline");
    return [form?.getAttribute("aria-label"), focused.matches("button:is([aria-expanded=true], [aria-pressed=true])") && focused.innerText];
  });
  if (!opened && !toggle) return null;
  const kind = (opened ?? toggle).replace(/ ?\$?[\d.,]+$/, "");
  if (!seen.has(kind)) await assertAccessible(page);
  seen.add(kind);
  await page.keyboard.press(opened ? "Escape" : "Enter");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  return kind;
}

visit("what buttons and keys open is accessible, and gives the focus back when it closes", shop, async (visitor) => {
  visitor.allow(/409 /);
  const page = await visitor.signIn("admin");
  const settled = following(page);
  // Completing asks only where it declines a job.
  await (await shop().as("admin"))("POST", `/service-tickets/${AT_WORK}/jobs`, { name: "Worn belt", status: "proposed" });
  await refuseChanges(page);
  const seen = new Set();
  for (const screen of [...SCREENS, ...MORE]) {
    await show(page, screen);
    await settled();
    for (const text of await buttonsOf(page)) {
      await show(page, screen);
      await button(page, text).focus();
      await page.keyboard.press("Enter");
      await look(page, seen, settled);
      await keepsFocus(page, `${text} on ${screen[0]}`);
    }
    await show(page, screen);
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    const keys = await page.locator("dialog .keys kbd").allInnerTexts();
    await look(page, seen, settled);
    for (const key of keys.filter((each) => each.length === 1 && !"n↑↓←→".includes(each))) {
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press(key);
      const kind = await look(page, seen, settled);
      if (kind) await keepsFocus(page, `the key ${key} on ${screen[0]}`);
    }
  }
  assert.deepEqual(DIALOGS.filter((title) => !seen.has(title)), []);
});

/** Have the page know what listens to clicks, what had the focus, and where that was not to be seen. */
function watchFocus() {
  const clickable = new WeakSet();
  const listen = window.EventTarget.prototype.addEventListener;
  window.EventTarget.prototype.addEventListener = function addEventListener(type, ...rest) {
    if (type === "click") clickable.add(this);
    listen.call(this, type, ...rest);
  };
  const had = new Set();
  window.unseen = [];
  window.forget = () => (had.clear(), (window.unseen = []));
  const outlined = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && outlineWidth !== "0px";
  };
  document.addEventListener("focusin", ({ target }) => {
    had.add(target);
    const { top, bottom, left, right } = target.getBoundingClientRect();
    const isThere = bottom > 0 && right > 0 && top < window.innerHeight && left < innerWidth && bottom > top && right > left;
    if (!isThere || ![target, target.closest(".card")].some((each) => each && outlined(each))) window.unseen.push(target.outerHTML);
  });
  const isOne = (element) => element.matches("a[href], button, input, select, textarea, summary") || clickable.has(element);
  /** Arrows lead on within a list, a group of radios, a column of cards, one of which Tab reaches. */
  const byArrows = (element) => element.matches("[role=option], [type=radio], .card [tabindex='-1']");
  window.missed = () =>
    [...document.querySelectorAll("body *")]
      .filter((element) => isOne(element) && element.checkVisibility() && !element.disabled && !byArrows(element) && !had.has(element))
      .map((element) => element.outerHTML);
}

visit("Tab reaches all that can be clicked, and the focus is always to be seen", shop, async (visitor) => {
  const page = await visitor.open();
  await page.addInitScript(watchFocus);
  await page.goto("/desk");
  await signIn(page, "admin");
  for (const screen of SCREENS) {
    await show(page, screen);
    await page.locator("main").focus();
    await page.evaluate(() => window.forget());
    await page.locator(".skip").focus(); // the first
    for (let presses = 0; !(await isFocusLost(page)); presses += 1) {
      assert.ok(presses < 500, "Tab comes to an end.");
      await page.keyboard.press("Tab");
    }
    assert.deepEqual(await page.evaluate(() => [window.missed(), window.unseen]), [[], []], screen[0]);
  }
});
