// Try each operation of /docs once: open it, Execute, and tell what was sent and what came.
// Reads from standard input [{tag, block, login, anew, has_new_model}]: where it stands, the credentials of who tries it,
// signed in anew where another operation may have ended the session, and whether its models are opened. Writes {tried: [{sent, status, problem, types}], faults,
// persisted}; types are what its models are shown as.
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const PATIENCE = 30_000; // milliseconds; the machine may be busy
const shop = process.env.SHOP;
const plan = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"], // which it refuses to do without as root
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(PATIENCE);
const faults = [];
page.on("pageerror", (error) => faults.push(error.message));
page.on("console", (message) => {
  const ofAnswer = message.text().startsWith("Failed to load resource"); // a refusal; its status is judged
  if (message.type() === "error" && !ofAnswer) faults.push(message.text());
});

const tokens = new Map();
let signedInWith = null;
let filter = "";

async function tokenOf({ path, ...data }, anew) {
  if (anew || !tokens.has(path)) {
    const answer = await page.request.post(shop + path, { data });
    tokens.set(path, (await answer.json()).token);
  }
  return tokens.get(path);
}

async function authorize(login, anew) {
  const token = login && (await tokenOf(login, anew));
  if (token === signedInWith) return;
  await page.locator(".auth-wrapper > .authorize").click();
  const dialog = page.locator(".dialog-ux");
  if (signedInWith) await dialog.getByRole("button", { name: "Remove authorization" }).click();
  if (token) {
    await dialog.locator("input").fill(token);
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
  }
  await dialog.locator(".btn-done").click();
  signedInWith = token;
}

async function tryOut({ tag, block, login, anew, has_new_model }) {
  await authorize(login, anew);
  if (tag !== filter) await page.locator(".operation-filter-input").fill((filter = tag)); // fewer are drawn
  const operation = page.locator(`[id="${block}"]`);
  const summary = operation.locator(".opblock-summary-control").first();
  const tryOutButton = operation.locator(".try-out__btn");
  await unfold(operation, summary, tryOutButton);
  if (!(await tryOutButton.getAttribute("class")).includes("cancel")) await tryOutButton.click();
  const answered = page.waitForResponse((response) => response.request().resourceType() === "fetch");
  answered.catch(() => {}); // awaited below, unless the button cannot be clicked
  await operation.locator(".execute").click();
  const response = await answered;
  await operation.locator(".live-responses-table .response-col_status").last().waitFor();
  const request = response.request();
  const { pathname, search } = new URL(request.url());
  const problem = response.status() >= 400 ? await response.text() : "";
  const types = has_new_model ? await typesShown(operation) : [];
  await summary.click();
  return {
    sent: { method: request.method(), path: pathname + search, headers: request.headers(), body: request.postData() },
    status: response.status(),
    problem,
    types,
  };
}

// Open an operation; a click is lost where the page is drawn anew under the pointer.
async function unfold(operation, summary, button) {
  for (let since = Date.now(); Date.now() - since < PATIENCE; ) {
    const isOpen = await operation.evaluate((block) => block.classList.contains("is-open"));
    if (!isOpen) await summary.click();
    if (await button.waitFor({ timeout: 500 }).then(() => true, () => false)) return;
  }
  throw new Error("it does not open");
}

// The types of the models of an operation, opened as far as they go.
async function typesShown(operation) {
  for (const tab of await operation.locator('.tablinks[data-name="model"]').all()) await tab.click();
  const folded = operation.getByText("Expand all", { exact: true });
  for (let depth = 0; depth < 5 && (await folded.count()); depth++) {
    await folded.evaluateAll((buttons) => buttons.forEach((button) => button.isConnected && button.click()));
  }
  return operation.locator(".json-schema-2020-12__attribute--primary").allTextContents();
}

async function open() {
  await page.goto(`${shop}/docs`);
  await page.locator(".opblock").first().waitFor();
  filter = "";
}

await open();
const tried = [];
for (const operation of plan) {
  try {
    tried.push(await tryOut(operation));
  } catch (error) {
    tried.push({ sent: null, status: 0, types: [], problem: `Nothing came: ${error.message.split("\n")[0]}` });
    await open();
  }
}
const persisted = await page.evaluate(() => localStorage.getItem("authorized") !== null);
await browser.close();
process.stdout.write(JSON.stringify({ tried, faults, persisted }));
