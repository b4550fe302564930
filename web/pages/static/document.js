// The page of an article: scroll to the marked words, move from match to match by keys, copy citations.
"use strict";

const typing = "input, textarea, select, [contenteditable]";

// The fragment leads to a passage; in a long passage, the words that the address names may be out of sight.
function showMarked() {
  const marked = document.getElementById("here");
  const place = location.hash.slice(1);
  if (!marked || (place && !/^p\d+$/.test(place))) return;
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation && navigation.type !== "navigate") return; // on reload and «back», the browser restores the position
  const { top, bottom } = marked.getBoundingClientRect();
  if (bottom < 0 || top > innerHeight) marked.scrollIntoView({ block: "center" });
}

// An arrow leads to the match in its direction on the page, right to left or left to right. The reader can turn off
// the keys of one letter.
function way({ key: pressed, code }) {
  const page = document.documentElement;
  // On an Arabic keyboard the same keys produce other letters.
  const key = /^[\u0600-\u06ff]$/.test(pressed) ? { KeyN: "n", KeyP: "p" }[code] : pressed;
  if (key === "n" || key === "p") {
    const button = document.getElementById("keys-switch");
    const off = button && button.textContent === button.dataset.on;
    return off ? null : { n: "next", p: "prev" }[key];
  }
  if (key !== "ArrowLeft" && key !== "ArrowRight") return null;
  // On a page that is wider than the window, arrows scroll.
  if (page.scrollWidth > page.clientWidth || (window.visualViewport?.scale ?? 1) > 1) return null;
  return (key === "ArrowRight") === (page.dir === "ltr") ? "next" : "prev";
}

function walk(event) {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest?.(typing)) return;
  const rel = way(event);
  const link = rel && document.querySelector(`.matches a[rel="${rel}"]`);
  if (!link) return;
  event.preventDefault();
  location.replace(link.href); // so that «back» leads to the results, not through every visited match
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  let done = false;
  try {
    await navigator.clipboard.writeText(field.value);
    done = true;
  } catch { // the clipboard exists only at secure addresses, and may be forbidden
    field.focus();
    field.select();
    done = document.execCommand("copy");
    if (done) button.focus();
  }
  const announcement = document.getElementById("said");
  if (announcement) announcement.textContent = "";
  setTimeout(() => {
    const text = done ? button.dataset.done : button.dataset.failed;
    if (announcement) announcement.textContent = text;
    button.nextElementSibling.textContent = text;
  }, 50); // after a pause, so that a screen reader announces the same text again
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
const keys = document.querySelector(".matches .keys");
if (keys && document.querySelector(".matches a[rel]")) {
  keys.hidden = false;
  document.addEventListener("keydown", walk);
}
window.addEventListener("load", showMarked);
