// What a script adds to pages that work without one: keys to walk through a list, and lists that change in
// place. Whatever fails falls back to what the browser does by itself.
"use strict";
(() => {
  const box = () => document.getElementById("q");
  const titles = () => [...document.querySelectorAll(".hits h2 a")];
  const typing = (element) =>
    element instanceof Element && !!element.closest("input, select, textarea, [contenteditable]");

  // --- keys

  const KEYS = "keys"; // in this browser's storage: "off" where the reader wants none of one letter
  const help = document.getElementById("keys");
  const toggle = document.getElementById("keys-switch");
  let keys = true;
  try {
    keys = localStorage.getItem(KEYS) !== "off";
  } catch {
    // storage is closed to this page: the keys stay on
  }
  const tell = () => {
    toggle.textContent = keys ? toggle.dataset.off : toggle.dataset.on;
  };
  if (help && toggle) {
    help.hidden = false;
    tell();
    toggle.addEventListener("click", () => {
      keys = !keys;
      tell();
      try {
        localStorage.setItem(KEYS, keys ? "on" : "off");
      } catch {
        // as above: it holds for this page
      }
    });
  }

  function walk(step) {
    const links = titles();
    const hit = document.activeElement.closest?.(".hits > li");
    const at = hit ? links.findIndex((link) => hit.contains(link)) : -1;
    if (at < 0 && step < 0) return false;
    if (at === 0 && step < 0) return box()?.focus(), true;
    const next = links[at + step];
    if (!next) return false;
    next.focus();
    next.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }

  // On an Arabic keyboard the same keys give other letters.
  const is = (event, key, code) =>
    event.key === key || (event.code === code && /^[\u0600-\u06ff]$/.test(event.key) && !event.shiftKey);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    const inBox = at === box();
    let done = false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const free = !typing(at) && !at.closest?.("summary, .narrow");
      if (!event.shiftKey && (inBox || free)) done = walk(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      if (!inBox && !typing(at) && box()) done = (box().focus(), box().select(), true);
    } else if (keys && !typing(at)) {
      if (is(event, "/", "Slash") && box()) done = (box().focus(), box().select(), true);
      else if (is(event, "j", "KeyJ")) done = walk(1);
      else if (is(event, "k", "KeyK")) done = walk(-1);
    }
    if (done) event.preventDefault();
  });

  // --- a page that waits for the server

  const again = document.querySelector("[data-again]");
  if (again) {
    again.hidden = false;
    setTimeout(() => location.reload(), again.dataset.again * 1000);
  }

  // --- lists that change in place

  const said = document.getElementById("said");
  const listed = (page) => page.querySelector("main > [data-list]");
  if (!said || !window.AbortController || !history.pushState) return;
  let asking = null;
  let shown = location.href; // the address whose list is on the page

  const here = (url) => url.origin === location.origin && (url.pathname === "/" || url.pathname === "/similar");

  async function show(url, { push, focus, y }) {
    asking?.abort();
    const typed = box().value;
    const asked = (asking = new AbortController());
    const main = document.getElementById("main");
    main.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(url, { signal: asked.signal, headers: { Accept: "text/html" } });
      if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/html")) throw new Error();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (asked.signal.aborted) return;
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
      // The browser then shows whatever there is at the address.
      if (push) location.assign(url);
      else location.reload();
    } finally {
      if (asking === asked) {
        asking = null;
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
    // What was typed since is not taken away.
    if (box().value === typed) box().value = page.getElementById("q").value;
    for (const next of document.querySelectorAll("input[name=next]")) {
      next.value = location.pathname + location.search;
    }
    if (focus) document.querySelector("main h1")?.focus({ preventScroll: true });
    // Emptied first: the same words twice would not be said again.
    said.textContent = "";
    const first = ["main h1", "main .count"].map((each) => document.querySelector(each));
    const words = [...first, ...document.querySelectorAll("main .note")].map((each) => each?.textContent.trim());
    setTimeout(() => {
      said.textContent = words.filter(Boolean).join(". ");
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
    asking?.abort(); // the reader is elsewhere now
    // A step to another place of the same page is none to another list.
    if (location.href.split("#")[0] === shown.split("#")[0]) return;
    if (!listed(document)) return location.reload();
    show(location.href, { push: false, focus: true, y: event.state?.y });
  });
})();
