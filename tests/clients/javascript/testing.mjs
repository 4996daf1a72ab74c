// Clerk's own @clerk/testing: it fetches a testing token, and adds it to the Frontend API calls of a
// page. The page is a stand-in with the one method of Playwright's that the package uses.
import assert from "node:assert/strict";
import { clerkSetup, setupClerkTestingToken } from "@clerk/testing/playwright";

const { FRONTEND_API: host, LOCAL_CLERK: localClerk, DEV_BROWSER: devBrowser } = process.env;

const scenarios = {
  async setup() {
    await clerkSetup({ dotenv: false });
    assert.equal(process.env.CLERK_FAPI, host);
    assert.ok(process.env.CLERK_TESTING_TOKEN);
  },

  async routing() {
    await clerkSetup({ dotenv: false });
    assert.equal(await throughPage(), 200);
    // An invalid token is ignored: without a captcha, a request needs no testing token.
    process.env.CLERK_TESTING_TOKEN = "guess";
    assert.equal(await throughPage(), 200);
  },
};

// Request the client as a page would, through the route that setupClerkTestingToken registers.
async function throughPage() {
  const routes = [];
  const context = { route: async (pattern, handler) => routes.push({ pattern, handler }) };
  await setupClerkTestingToken({ context });
  const url = `https://${host}/v1/client?__clerk_db_jwt=${devBrowser}`;
  assert.match(url, routes[0].pattern);
  let status;
  await routes[0].handler({
    request: () => ({ url: () => url }),
    fetch: async ({ url: asked }) => {
      assert.match(asked, /__clerk_testing_token=/);
      const answer = await fetch(asked.replace(`https://${host}`, localClerk));
      return { status: () => answer.status, json: () => answer.json(), headers: () => ({}), text: () => "" };
    },
    fulfill: async ({ response }) => { status = response.status(); },
    continue: async () => assert.fail("the call went around the local Clerk"),
  });
  return status;
}

await scenarios[process.argv[2]]();
