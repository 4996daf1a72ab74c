// Starts Clerk.js, and mounts its components where the page asks for them.
// Runs before Clerk's own scripts, so that it hears when one of them can't be loaded.
(() => {
  "use strict";

  const TIMEOUT = 15000; // milliseconds
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
