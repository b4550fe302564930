// The page of an article: marked words in view, keys from match to match, and a button that copies.
"use strict";

const typing = "input, textarea, select, [contenteditable]";

// The address leads to a passage; in a long one the words that it names may be further down.
function showMarked() {
  const marked = document.getElementById("here");
  const place = location.hash.slice(1);
  if (!marked || (place && !/^p\d+$/.test(place))) return;
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation && navigation.type !== "navigate") return; // the browser goes back to where the reader was
  const { top, bottom } = marked.getBoundingClientRect();
  if (bottom < 0 || top > innerHeight) marked.scrollIntoView({ block: "center" });
}

// Arrows lead on as they point, in either direction of reading; keys of one letter can be turned off.
function way(key) {
  const page = document.documentElement;
  if (key === "n" || key === "p") {
    const button = document.getElementById("keys-switch");
    const off = button && button.textContent === button.dataset.on;
    return off ? null : { n: "next", p: "prev" }[key];
  }
  if (key !== "ArrowLeft" && key !== "ArrowRight") return null;
  // On a page that is wider than the window, arrows have their own use.
  if (page.scrollWidth > page.clientWidth || (window.visualViewport?.scale ?? 1) > 1) return null;
  return (key === "ArrowRight") === (page.dir === "ltr") ? "next" : "prev";
}

function walk(event) {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest?.(typing)) return;
  const rel = way(event.key);
  const link = rel && document.querySelector(`.matches a[rel="${rel}"]`);
  if (!link) return;
  event.preventDefault();
  location.replace(link.href); // "back" then leads to the results, not through every match that was passed
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  let done = false;
  try {
    await navigator.clipboard.writeText(field.value);
    done = true;
  } catch { // no such thing outside secure addresses, or not allowed
    field.focus();
    field.select();
    done = document.execCommand("copy");
    if (done) button.focus();
  }
  const said = document.getElementById("said");
  if (said) said.textContent = "";
  setTimeout(() => {
    const text = done ? button.dataset.done : button.dataset.failed;
    if (said) said.textContent = text;
    button.nextElementSibling.textContent = text;
  }, 50); // so that the same words are told again
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
