// Starts Clerk.js, and mounts its components where the page asks for them.
// Runs before Clerk's own scripts, so that it hears when one of them can't be loaded.
(() => {
  "use strict";

  const TIMEOUT = 15000; // milliseconds
  const RENEWAL_TIMEOUT = 3000; // milliseconds
  const settings = JSON.parse(document.currentScript.dataset.clerkSettings);
  const scripts = [...document.querySelectorAll("script[data-clerk-script]")];
  const mounts = [...document.querySelectorAll("[data-clerk-mount]")];
  let ended = false;

  function hide(selector, hidden) {
    for (const mount of mounts) {
      for (const part of mount.querySelectorAll(selector)) part.hidden = hidden;
    }
  }

  function fail(why) {
    if (ended) return;
    ended = true;
    console.error("Clerk.js did not start:", why);
    hide(".clerk-loading", true);
    hide(".clerk-fallback", false);
  }

  // The steps of a form are paths below the page's own, such as /login/factor-one. While signed out, go from
  // step to step without loading the page again: a reload would lose errors, such as a denied consent.
  function isStep(target) {
    const paths = mounts.map((mount) => JSON.parse(mount.dataset.clerkProps).path).filter(Boolean);
    const isBelow = (path, root) => path === root || path.startsWith(`${root}/`);
    const isSamePage = (root) => isBelow(target.pathname, root) && isBelow(location.pathname, root);
    return window.Clerk.user === null && target.origin === location.origin && paths.some(isSamePage);
  }

  function navigateBy(method) {
    return (to, { windowNavigate }) => {
      const target = new URL(to, location.href);
      if (isStep(target)) history[method](null, "", target);
      else windowNavigate(target);
    };
  }

  async function start() {
    try {
      await window.Clerk.load({
        ...settings,
        routerPush: navigateBy("pushState"),
        routerReplace: navigateBy("replaceState"),
        allowedRedirectOrigins: [window.location.origin],
        ui: { ClerkUI: window.__internal_ClerkUICtor },
      });
    } catch (error) {
      fail(error);
      return;
    }
    if (ended) return;
    ended = true;
    hide(".clerk-loading", true);
    for (const mount of mounts) {
      const node = mount.appendChild(document.createElement("div"));
      window.Clerk[`mount${mount.dataset.clerkMount}`](node, JSON.parse(mount.dataset.clerkProps));
    }
  }

  // A tab may sleep for longer than its token lives, and a form that is sent without a valid one is refused.
  // So get a new token before a form is sent to this app; then send the form as if nothing had happened.
  const renewals = new WeakMap(); // forms that wait for a token (false), or have it and are being sent (true)

  function isOwnPost(form, submitter) {
    const setting = (name) => submitter?.getAttribute(`form${name}`) ?? form.getAttribute(name) ?? "";
    const target = new URL(setting("action"), document.baseURI);
    return setting("method").toLowerCase() === "post" && target.origin === location.origin;
  }

  async function renewToken() {
    const timeout = new Promise((resolve) => setTimeout(resolve, RENEWAL_TIMEOUT));
    try {
      await Promise.race([window.Clerk.session.getToken({ skipCache: true }), timeout]);
    } catch (error) {
      console.warn("Clerk.js got no new token:", error);
    }
  }

  async function sendWithNewToken(event) {
    const { target: form, submitter } = event;
    if (!event.isTrusted || !window.Clerk?.session || renewals.get(form) || !isOwnPost(form, submitter)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // other listeners run when the form is really sent
    if (renewals.has(form)) return; // a second click
    renewals.set(form, false);
    await renewToken();
    renewals.set(form, true);
    // The page's script may have removed the button. Fields may be called "requestSubmit", too.
    HTMLFormElement.prototype.requestSubmit.call(form, submitter?.form === form ? submitter : null);
    renewals.delete(form);
  }

  window.addEventListener("submit", sendWithNewToken, true);
  hide(".clerk-loading", false);
  setTimeout(() => fail("no answer in time"), TIMEOUT);
  for (const script of scripts) {
    script.addEventListener("error", () => fail(`cannot load ${script.src}`));
  }
  // Deferred scripts run in order, so by this event both of Clerk's have run or failed.
  document.addEventListener("DOMContentLoaded", () => {
    if (window.Clerk) start();
    else fail("window.Clerk is not there");
  });
})();
