// Keyboard shortcuts; templates/_shortcuts.html lists them. Never in a field, never with a modifier.
"use strict";
(() => {
  const dialog = document.getElementById("shortcuts");
  const PAGES = { d: 0, r: 1, q: 2, l: 3, p: 4, k: 5, s: 6 };
  let afterG = 0;

  function move(step) {
    const links = [...document.querySelectorAll("[data-row-link]")].filter((link) => link.offsetParent !== null);
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  }

  function go(key) {
    const links = document.querySelectorAll('nav[aria-label="Main"] a');
    if (key in PAGES && links[PAGES[key]]) location.assign(links[PAGES[key]].href);
  }

  const actions = {
    j: () => move(1),
    k: () => move(-1),
    "?": () => dialog.showModal(),
    "/": () => document.querySelector(".filters :is(input:not([type=hidden]), select)")?.focus(),
    c: () => document.querySelector(".review-form textarea")?.focus(),
    g: () => { afterG = Date.now(); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      go(event.key);
      return;
    }
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (!action) return;
    event.preventDefault();
    action();
  });

  for (const button of document.querySelectorAll("[data-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
})();
