// Keyboard shortcuts; templates/_shortcuts.html lists them. Never in a field, never with a modifier.
"use strict";
(() => {
  const dialog = document.getElementById("shortcuts");
  let afterG = 0;

  function move(step) {
    const links = [...document.querySelectorAll("[data-row-link]")].filter((link) => link.offsetParent !== null);
    if (!links.length) return;
    const here = document.activeElement;
    const at = links.indexOf(here.closest(".inbox-row")?.querySelector("[data-row-link]") ?? here);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  }

  function go(key) {
    const links = [...document.querySelectorAll("nav [data-key]")];
    const link = links.find((one) => one.dataset.key === key);
    if (link) location.assign(link.href);
  }

  // On a request that waits for the viewer: the form, and what Enter then does. A key alone never decides.
  const form = document.querySelector(".review-form");
  const button = (verdict) => form?.querySelector(`button[value="${verdict}"]`);
  let meant = "approve";

  function review(verdict) {
    if (!form) return;
    meant = verdict;
    const comment = form.querySelector("textarea");
    // A rejection needs words first.
    if (verdict === "reject" && comment && !comment.value.trim()) comment.focus();
    else button(verdict)?.focus();
  }

  // From the list: at the form, and one step from the buttons.
  function arrive() {
    const verdict = location.hash.slice(1);
    if (!form || !["approve", "reject"].includes(verdict)) return;
    meant = verdict;
    form.querySelector("textarea")?.focus();
    form.scrollIntoView({ block: "center" });
  }

  // What a list does with keys of its own, it does itself.
  const tell = (key) => document.dispatchEvent(new CustomEvent("countersign:key", { detail: { key } }));

  const actions = {
    a: () => { review("approve"); tell("a"); },
    r: () => { review("reject"); tell("r"); },
    o: () => tell("o"),
    x: () => tell("x"),
    j: () => move(1),
    k: () => move(-1),
    "?": () => dialog.showModal(),
    "/": () => document.querySelector(".filters :is(input:not([type=hidden]), select)")?.focus(),
    c: () => document.querySelector(".review-form textarea")?.focus(),
    g: () => { afterG = Date.now(); },
  };

  form?.querySelector("textarea")?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    button(meant)?.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
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
  addEventListener("hashchange", arrive);
  arrive();

  for (const button of document.querySelectorAll("[data-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
})();
