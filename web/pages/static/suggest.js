// Suggestions while a question is typed: a combobox with a list (WAI-ARIA), which without scripts is not there.
"use strict";
(() => {
  const form = document.querySelector("form[data-suggest]");
  const box = document.getElementById("q");
  if (!form || !box || !window.AbortController) return;
  const WAIT = 120; // milliseconds after a key before the server is asked
  const LEAST = 2; // letters

  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.dataset.suggestions);
  box.after(list);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": list.id,
    "aria-haspopup": "listbox",
  })) {
    box.setAttribute(name, value);
  }

  const kinds = JSON.parse(form.dataset.kinds);
  let shown = []; // suggestions in the list
  let active = -1; // place of the one that the arrow keys have reached
  let timer = 0;
  let pending = null;

  function close() {
    clearTimeout(timer);
    pending?.abort();
    shown = [];
    list.hidden = true;
    list.replaceChildren();
    activate(-1);
    box.setAttribute("aria-expanded", "false");
  }

  function activate(place) {
    active = place;
    for (const [number, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(number === place));
    }
    const option = list.children[place];
    if (option) {
      box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      box.removeAttribute("aria-activedescendant");
    }
  }

  function show(suggestions) {
    shown = suggestions;
    list.replaceChildren(
      ...suggestions.map((suggestion, place) => {
        const option = document.createElement("li");
        option.id = `suggestion-${place}`;
        option.setAttribute("role", "option");
        const text = document.createElement("bdi");
        text.textContent = suggestion.text;
        option.append(text);
        if (kinds[suggestion.kind]) {
          const kind = document.createElement("span");
          kind.className = "kind";
          kind.textContent = kinds[suggestion.kind];
          option.append(" ", kind);
        }
        return option;
      }),
    );
    list.hidden = !suggestions.length;
    box.setAttribute("aria-expanded", String(!list.hidden));
    activate(-1);
  }

  async function ask() {
    pending?.abort();
    const request = (pending = new AbortController());
    const typed = box.value;
    try {
      const address = `${form.dataset.suggest}?q=${encodeURIComponent(typed)}`;
      const response = await fetch(address, { signal: request.signal });
      if (!response.ok) return close();
      const answer = await response.json();
      if (!request.signal.aborted && box.value === typed && document.activeElement === box) show(answer.suggestions);
    } catch {
      // Typing goes on without suggestions.
    }
  }

  function choose(place) {
    const { kind, query } = shown[place];
    box.value = query;
    close();
    box.focus();
    // A title is a question; a source, an author or a word is a part of one.
    if (kind === "title") form.requestSubmit();
  }

  box.addEventListener("input", () => {
    clearTimeout(timer);
    if (box.value.trim().length < LEAST) return close();
    timer = setTimeout(ask, WAIT);
  });
  box.addEventListener("blur", close);
  form.addEventListener("submit", close);

  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = !list.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      // One place beyond either end stands for the box itself.
      const step = event.key === "ArrowDown" ? 1 : -1;
      const places = shown.length + 1;
      activate(((active + 1 + step + places) % places) - 1);
    } else if (open && event.key === "Enter" && active >= 0) {
      choose(active);
    } else if (open && event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
  });

  // A press would take the focus from the box, and so close the list, before the click.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose([...list.children].indexOf(option));
  });
})();
