// Copy buttons: `data-copy` names the element whose text (or data-text, the exact original) is copied.
"use strict";
(() => {
  if (!navigator.clipboard) return; // only on https and on loopback; without it the button stays hidden
  const reveal = () => document.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
  reveal();
  document.addEventListener("htmx:afterSwap", reveal);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("[data-copy-label]");
    const before = label.dataset.label ?? label.textContent;
    label.dataset.label = before;
    try {
      await navigator.clipboard.writeText(source.dataset.text ?? source.textContent);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Not copied";
    }
    setTimeout(() => { label.textContent = before; }, 1500);
  });
})();
