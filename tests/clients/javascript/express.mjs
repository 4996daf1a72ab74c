// A small Express app with Clerk's own middleware; it prints its address and serves until stopped.
import { clerkClient, clerkMiddleware, getAuth, requireAuth } from "@clerk/express";
import express from "express";

const { APP_URL: app, LOCAL_CLERK: localClerk } = process.env;
const site = express();
site.use(clerkMiddleware({ authorizedParties: [app], proxyUrl: localClerk }));
site.get("/", (request, response) => response.json({ userId: getAuth(request).userId }));
site.get("/private", requireAuth({ signInUrl: `${app}/login` }), async (request, response) => {
  const user = await clerkClient.users.getUser(getAuth(request).userId);
  response.json({ address: user.primaryEmailAddress.emailAddress });
});
site.use((error, _request, response, _next) => response.status(500).send(String(error)));
const server = site.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
