// Clerk's own @clerk/testing signs people in and out of the generated app, in a real browser.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const { SITE, EMAIL, PASSWORD, CHROMIUM, ARGUMENTS, LOCAL_CLERK } = process.env;

// For emailAddress the package asks the Backend API, at an address that it lets nobody choose.
// It keeps the fetch that there is when it is imported.
const { fetch: direct } = globalThis;
globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const url = request.url.replace("https://api.clerk.com/", `${LOCAL_CLERK}/api/`);
  return direct(url === request.url ? request : new Request(url, request));
};

const { clerk, clerkSetup, setupClerkTestingToken } = await import("@clerk/testing/playwright");

const ways = {
  password: { signInParams: { strategy: "password", identifier: EMAIL, password: PASSWORD } },
  code: { signInParams: { strategy: "email_code", identifier: EMAIL } },
  ticket: { emailAddress: EMAIL },
};

const browser = await chromium.launch({ executablePath: CHROMIUM, args: JSON.parse(ARGUMENTS) });
try {
  await clerkSetup({ dotenv: false });
  assert.ok(process.env.CLERK_TESTING_TOKEN);
  for (const [name, way] of Object.entries(ways)) {
    const page = await (await browser.newContext()).newPage();
    await setupClerkTestingToken({ page });
    await page.goto(SITE);
    await clerk.loaded({ page });
    await clerk.signIn({ page, ...way });
    await page.goto(`${SITE}/dashboard`);
    assert.equal(page.url(), `${SITE}/dashboard`, name);
    assert.match(await page.locator("body").innerText(), new RegExp(EMAIL.replace("+", "\\+")));
    await clerk.loaded({ page });
    await clerk.signOut({ page });
    await page.waitForURL(`${SITE}/`);
    await page.goto(`${SITE}/dashboard`);
    assert.match(page.url(), /\/login/, name);
  }
} finally {
  await browser.close();
}
