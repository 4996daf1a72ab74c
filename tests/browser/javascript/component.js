// Loads Clerk.js and mounts one component; its name and options are in the query (see mounting.py).
addEventListener("DOMContentLoaded", async () => {
  const query = new URLSearchParams(location.search);
  await Clerk.load({
    ui: { ClerkUI: window.__internal_ClerkUICtor },
    telemetry: false,
    signInUrl: "/login",
    signUpUrl: "/signup",
    signInFallbackRedirectUrl: "/dashboard",
    signUpFallbackRedirectUrl: "/dashboard",
    ...JSON.parse(query.get("settings") ?? "{}"),
  });
  const component = query.get("component");
  if (component !== "Nothing") {
    const props = JSON.parse(query.get("props") ?? "{}");
    Clerk[`mount${component}`](document.getElementById("here"), props);
  }
  document.body.dataset.ready = "yes";
});
