// The inbox: one row is in hand. j and k (keys.js), or the arrows, move it; x selects it; what refreshes leaves it in place.
"use strict";
(() => {
  const list = document.getElementById("inbox-rows");
  if (!list) return;
  const links = () => [...list.querySelectorAll("[data-row-link]")];
  const rowOf = (element) => element?.closest?.(".inbox-row");

  // Tab enters the list at the row in hand, and leaves it after that row.
  function take(row) {
    for (const other of list.children) {
      for (const stop of other.querySelectorAll("[data-row-link], [data-select]")) stop.tabIndex = other === row ? 0 : -1;
    }
  }

  function step(by) {
    const all = links();
    const at = all.indexOf(rowOf(document.activeElement)?.querySelector("[data-row-link]"));
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !rowOf(event.target)) return;
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  }

  function act(event) {
    const row = rowOf(document.activeElement);
    const link = row?.querySelector("[data-row-link]");
    if (!link) return;
    const key = event.detail.key;
    if (key === "o") location.assign(link.href);
    if (key === "x") row.querySelector("[data-select]")?.click();
    // A key on the list decides nothing: it opens the page, at the form.
    if ((key === "a" || key === "r") && "decidable" in link.dataset) location.assign(`${link.href}#${key === "a" ? "approve" : "reject"}`);
  }

  // A row that comes anew stays ticked, and in hand.
  function carry(event) {
    const { target, fragment } = event.detail;
    if (!target.matches(".inbox-row")) return;
    const was = target.querySelector("[data-select]");
    const is = fragment.querySelector("[data-select]");
    if (was && is) is.checked = was.checked;
    const inHand = target.querySelector("[data-row-link]").tabIndex === 0;
    for (const stop of fragment.querySelectorAll("[data-row-link], [data-select]")) stop.tabIndex = inHand ? 0 : -1;
  }

  list.addEventListener("focusin", (event) => take(rowOf(event.target)));
  list.addEventListener("keydown", keys);
  document.addEventListener("countersign:key", act);
  document.addEventListener("htmx:oobBeforeSwap", carry);
  document.addEventListener("htmx:oobAfterSwap", () => list.dispatchEvent(new Event("change", { bubbles: true })));
  for (const hint of document.querySelectorAll("[data-keys-hint]")) hint.hidden = false;
  take(list.firstElementChild);
})();
