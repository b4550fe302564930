// Enhance pages that also work without scripts: keys to move through a list of hits, and lists that change without
// loading a new page. If anything fails, the browser loads the page as usual.
"use strict";
(() => {
  const box = () => document.getElementById("q");
  const titles = () => [...document.querySelectorAll(".hits h2 a")];
  const typing = (element) =>
    element instanceof Element && !!element.closest("input, select, textarea, [contenteditable]");

  // --- keys

  const KEYS = "keys"; // key in localStorage; its value is "off" if the reader has turned off the keys of one letter
  const help = document.getElementById("keys");
  const toggle = document.getElementById("keys-switch");
  let keys = true;
  try {
    keys = localStorage.getItem(KEYS) !== "off";
  } catch {
    // The page may not use the storage: the keys stay on.
  }
  const labelToggle = () => {
    toggle.textContent = keys ? toggle.dataset.off : toggle.dataset.on;
  };
  if (help && toggle) {
    help.hidden = false;
    labelToggle();
    toggle.addEventListener("click", () => {
      keys = !keys;
      labelToggle();
      try {
        localStorage.setItem(KEYS, keys ? "on" : "off");
      } catch {
        // The page may not use the storage: the choice is valid for this page only.
      }
    });
  }

  function walk(step) {
    const links = titles();
    const hit = document.activeElement.closest?.(".hits > li");
    const place = hit ? links.findIndex((link) => hit.contains(link)) : -1;
    if (place < 0 && step < 0) return false;
    if (place === 0 && step < 0) return box()?.focus(), true;
    const next = links[place + step];
    if (!next) return false;
    next.focus();
    next.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }

  // On an Arabic keyboard the same keys produce other letters.
  const is = (event, key, code) =>
    event.key === key || (event.code === code && /^[\u0600-\u06ff]$/.test(event.key) && !event.shiftKey);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = document.activeElement;
    const inBox = focused === box();
    let done = false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const free = !typing(focused) && !focused.closest?.("summary, .narrow");
      if (!event.shiftKey && (inBox || free)) done = walk(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      if (!inBox && !typing(focused) && box()) done = (box().focus(), box().select(), true);
    } else if (keys && !typing(focused)) {
      if (is(event, "/", "Slash") && box()) done = (box().focus(), box().select(), true);
      else if (is(event, "j", "KeyJ")) done = walk(1);
      else if (is(event, "k", "KeyK")) done = walk(-1);
    }
    if (done) event.preventDefault();
  });

  // --- a page that reloads until the server is ready

  const again = document.querySelector("[data-again]");
  if (again) {
    again.hidden = false;
    setTimeout(() => location.reload(), again.dataset.again * 1000);
  }

  // --- lists that change without loading a new page

  const announcement = document.getElementById("said");
  const listed = (page) => page.querySelector("main > [data-list]");
  if (!announcement || !window.AbortController || !history.pushState) return;
  let pending = null;
  let shown = location.href; // the address of the list that the page shows

  // The form of search leads to the root of the program, which may be a path of the site.
  const root = new URL(document.querySelector("form[role=search]")?.action ?? "/", location.href).pathname;
  const here = (url) =>
    url.origin === location.origin && [root, `${root}similar`, `${root}articles`].includes(url.pathname);

  async function show(url, { push, focus, y }) {
    pending?.abort();
    const typed = box().value;
    const request = (pending = new AbortController());
    const main = document.getElementById("main");
    main.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(url, { signal: request.signal, headers: { Accept: "text/html" } });
      if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/html")) throw new Error();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (request.signal.aborted) return;
      if (!listed(page) || page.documentElement.lang !== document.documentElement.lang) throw new Error();
      if (push) {
        history.replaceState({ y: scrollY }, "");
        history.pushState({}, "", url);
      }
      shown = url;
      swap(page, focus, typed);
      scrollTo(0, y ?? 0);
    } catch (error) {
      if (error.name === "AbortError") return;
      // Let the browser load the address as usual.
      if (push) location.assign(url);
      else location.reload();
    } finally {
      if (pending === request) {
        pending = null;
        document.getElementById("main").removeAttribute("aria-busy");
      }
    }
  }

  function swap(page, focus, typed) {
    const narrowed = document.querySelector(".narrow > details")?.open;
    document.title = page.title;
    for (const id of ["main", "kept"]) {
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    }
    const details = document.querySelector(".narrow > details");
    if (details && narrowed) details.open = true;
    // Keep the words that the reader has typed in the meantime.
    if (box().value === typed) box().value = page.getElementById("q").value;
    for (const next of document.querySelectorAll("input[name=next]")) {
      next.value = location.pathname + location.search;
    }
    if (focus) document.querySelector("main h1")?.focus({ preventScroll: true });
    // Empty the live region first: a screen reader does not announce unchanged text again.
    announcement.textContent = "";
    const first = ["main h1", "main .count"].map((selector) => document.querySelector(selector));
    const words = [...first, ...document.querySelectorAll("main .note")].map((element) => element?.textContent.trim());
    setTimeout(() => {
      announcement.textContent = words.filter(Boolean).join(". ");
    }, 100);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("main > [data-list] a[href]");
    if (!link || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (!here(url) || url.hash) return;
    event.preventDefault();
    show(url.href, { push: true, focus: true });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-list]") || !listed(document)) return;
    const values = [...new FormData(form)].filter(([, value]) => value !== "");
    const url = new URL(form.action);
    url.search = new URLSearchParams(values);
    event.preventDefault();
    show(url.href, { push: url.href !== location.href, focus: !form.contains(box()) });
  });

  addEventListener("popstate", (event) => {
    pending?.abort(); // the reader has moved on to another address
    // A step to another fragment of the same page does not change the list.
    if (location.href.split("#")[0] === shown.split("#")[0]) return;
    if (!listed(document)) return location.reload();
    show(location.href, { push: false, focus: true, y: event.state?.y });
  });
})();
