// Recent questions: kept in this browser alone, shown on the home page, cleared and turned off there.
"use strict";
(() => {
  const KEPT = "questions"; // key in localStorage: the questions, the latest first
  const OFF = "questions-off"; // key in localStorage: "yes" if the reader does not want them kept
  const MOST = 10;

  const read = () => {
    try {
      const questions = JSON.parse(localStorage.getItem(KEPT));
      return Array.isArray(questions) ? questions.filter((question) => typeof question === "string") : [];
    } catch {
      return []; // nothing is kept, or the page may not use the storage
    }
  };
  const isOff = () => {
    try {
      return localStorage.getItem(OFF) === "yes";
    } catch {
      return true;
    }
  };
  const write = (key, value) => {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // The page may not use the storage: nothing is kept.
    }
  };

  document.addEventListener(
    "submit",
    (event) => {
      if (!event.target.matches("form[role=search]") || isOff()) return;
      const question = event.target.elements.q.value.trim();
      if (question) write(KEPT, JSON.stringify([question, ...read().filter((kept) => kept !== question)].slice(0, MOST)));
    },
    true,
  );

  const section = document.getElementById("recent");
  if (!section) return;
  const list = section.querySelector("ul");
  const clear = document.getElementById("recent-clear");
  const toggle = document.getElementById("recent-switch");

  function show() {
    const questions = isOff() ? [] : read();
    list.replaceChildren(
      ...questions.map((question) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = `${section.dataset.root}?${new URLSearchParams({ q: question })}`;
        link.dir = "auto";
        link.textContent = question;
        item.append(link);
        return item;
      }),
    );
    clear.hidden = !questions.length;
    toggle.textContent = isOff() ? toggle.dataset.on : toggle.dataset.off;
    section.hidden = !questions.length && !isOff();
  }

  clear.addEventListener("click", () => {
    write(KEPT, null);
    show();
    document.getElementById("q")?.focus();
  });
  toggle.addEventListener("click", () => {
    const off = !isOff();
    write(OFF, off ? "yes" : null);
    if (off) write(KEPT, null);
    show();
    if (section.hidden) document.getElementById("q")?.focus();
  });
  window.addEventListener("pageshow", show); // also when «back» brings the page from the browser's memory
})();
