// Clerk's own @clerk/backend against the local Clerk: one scenario per run, named by the argument.
import assert from "node:assert/strict";
import { createClerkClient, verifyToken } from "@clerk/backend";
import { isClerkAPIResponseError } from "@clerk/backend/errors";

const {
  CLERK_SECRET_KEY: secretKey,
  CLERK_PUBLISHABLE_KEY: publishableKey,
  CLERK_API_URL: apiUrl,
  LOCAL_CLERK: localClerk,
  APP_URL: app,
} = process.env;
const clerk = createClerkClient({ secretKey, publishableKey, apiUrl });
const address = (name) => `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
const newUser = (more = {}) => clerk.users.createUser({ emailAddress: [address("ada")], ...more });

async function refused(call, status) {
  await assert.rejects(call, (error) => isClerkAPIResponseError(error) && error.status === status);
}

const scenarios = {
  async users() {
    const user = await newUser({ firstName: "Ada", password: "correct horse 9" });
    const email = user.primaryEmailAddress.emailAddress;
    const { data, totalCount } = await clerk.users.getUserList({ emailAddress: [email] });
    assert.deepEqual([data[0].id, totalCount], [user.id, 1]);
    assert.equal((await clerk.users.updateUser(user.id, { lastName: "Byron" })).lastName, "Byron");
    const merged = await clerk.users.updateUserMetadata(user.id, { publicMetadata: { plan: "pro" } });
    assert.deepEqual(merged.publicMetadata, { plan: "pro" });
    assert.equal((await clerk.users.banUser(user.id)).banned, true);
    assert.equal((await clerk.users.unbanUser(user.id)).banned, false);
    await refused(clerk.users.verifyPassword({ userId: user.id, password: "wrong" }), 422);
    await clerk.users.deleteUser(user.id);
    await refused(clerk.users.getUser(user.id), 404);
  },

  async sessions() {
    const user = await newUser();
    const session = await clerk.sessions.createSession({ userId: user.id });
    const { data } = await clerk.sessions.getSessionList({ userId: user.id });
    assert.equal(data[0].id, session.id);
    const { jwt } = await clerk.sessions.getToken(session.id);
    assert.equal((await verifyToken(jwt, { secretKey, apiUrl })).sub, user.id);
    await assert.rejects(verifyToken(jwt, { secretKey, apiUrl, authorizedParties: ["http://evil.example"] }));
    await assert.rejects(verifyToken(`${jwt.slice(0, -6)}AAAAAA`, { secretKey, apiUrl }));
    assert.equal((await clerk.sessions.revokeSession(session.id)).status, "revoked");
    await refused(clerk.sessions.getToken(session.id), 404);
  },

  async tickets() {
    const user = await newUser();
    const invitation = await clerk.invitations.createInvitation({ emailAddress: address("new"), notify: false });
    assert.ok(invitation.url);
    assert.equal((await clerk.invitations.revokeInvitation(invitation.id)).status, "revoked");
    const ticket = await clerk.signInTokens.createSignInToken({ userId: user.id, expiresInSeconds: 60 });
    assert.ok(ticket.token);
    const actor = await clerk.actorTokens.create({ userId: user.id, actor: { sub: "user_support" } });
    assert.equal((await clerk.actorTokens.revoke(actor.id)).status, "revoked");
    const templates = await clerk.jwtTemplates.list();
    assert.ok(templates.totalCount >= 0);
  },

  async machines() {
    const server = await clerk.machines.create({ name: "server" });
    const stranger = await clerk.machines.create({ name: "stranger" });
    const client = await clerk.machines.create({ name: "client", scopedMachines: [server.id] });
    for (const tokenFormat of ["opaque", "jwt"]) {
      const { token } = await clerk.m2m.createToken({ machineSecretKey: client.secretKey, tokenFormat });
      const seen = await clerk.m2m.verify({ token, machineSecretKey: server.secretKey });
      assert.deepEqual([seen.subject, seen.scopes], [client.id, [server.id]]);
      if (tokenFormat === "opaque") {
        await refused(clerk.m2m.verify({ token, machineSecretKey: stranger.secretKey }), 404);
        await clerk.m2m.revokeToken({ m2mTokenId: seen.id, machineSecretKey: client.secretKey });
        await refused(clerk.m2m.verify({ token, machineSecretKey: server.secretKey }), 404);
      }
    }
    assert.equal((await clerk.machines.list()).totalCount >= 3, true);
    await refused(createClerkClient({ secretKey: client.secretKey, apiUrl }).users.getCount(), 401);
  },

  async keys() {
    const user = await newUser();
    const key = await clerk.apiKeys.create({ name: "CI", subject: user.id, scopes: ["read"] });
    const bearer = () => new Request(`${app}/`, { headers: { Authorization: `Bearer ${key.secret}` } });
    const state = await clerk.authenticateRequest(bearer(), { acceptsToken: "api_key" });
    assert.deepEqual([state.isAuthenticated, state.toAuth().userId], [true, user.id]);
    await clerk.apiKeys.revoke({ apiKeyId: key.id });
    await refused(clerk.apiKeys.verify(key.secret), 404);
    assert.equal((await clerk.authenticateRequest(bearer(), { acceptsToken: "api_key" })).isAuthenticated, false);
    const application = await clerk.oauthApplications.create({ name: "Other", redirectUris: [], scopes: "email" });
    assert.ok(application.clientSecret);
    await refused(clerk.idPOAuthAccessToken.verify("oat_guess"), 404);
  },

  // A browser opens the app: no cookies, handshake, back with a nonce, cookies, signed in.
  async handshake() {
    const { DEV_BROWSER: devBrowser, USER_ID: userId } = process.env;
    const open = (url, cookie) =>
      clerk.authenticateRequest(
        new Request(url, { headers: { Accept: "text/html", "Sec-Fetch-Dest": "document", ...(cookie && { Cookie: cookie }) } }),
        { authorizedParties: [app], proxyUrl: localClerk },
      );
    const first = await open(`${app}/page?a=b`, `__clerk_db_jwt=${devBrowser}; __client_uat=1`);
    assert.equal(first.status, "handshake");
    const away = await fetch(first.headers.get("location"), { redirect: "manual" });
    assert.equal(away.status, 307);
    const back = await open(away.headers.get("location"), `__clerk_db_jwt=${devBrowser}`);
    assert.equal(back.headers.get("location"), `${app}/page?a=b`);
    const cookies = back.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    const last = await open(`${app}/page?a=b`, cookies);
    assert.deepEqual([last.status, last.toAuth().userId], ["signed-in", userId]);
    const replay = open(away.headers.get("location"), `__clerk_db_jwt=${devBrowser}`);
    await assert.rejects(replay.then((state) => assert.equal(state.status, "signed-in")));
  },

  async "wrong keys"() {
    for (const wrong of ["sk_test_wrong", "sk_live_clients", "ak_guess"]) {
      await refused(createClerkClient({ secretKey: wrong, apiUrl }).users.getCount(), 401);
    }
  },

  async throttling() {
    const limit = { requests: 1, retry_after: 3 };
    const headers = { Authorization: `Bearer ${secretKey}`, "Content-Type": "application/json" };
    await fetch(`${apiUrl}/v1/emulator/throttle`, { method: "PUT", headers, body: JSON.stringify(limit) });
    await assert.rejects(clerk.users.getCount(), (error) => error.status === 429 && error.retryAfter === 3);
    await clerk.users.getCount();
  },
};

await scenarios[process.argv[2]]();
