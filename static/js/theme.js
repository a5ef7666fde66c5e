// Sets the theme before the first paint, then lets the viewer choose: system, light, dark. Kept in this browser only.
"use strict";
(() => {
  const KEY = "countersign-theme";
  const ORDER = ["system", "light", "dark"];
  const read = () => {
    try {
      const kept = localStorage.getItem(KEY);
      return ORDER.includes(kept) ? kept : "system";
    } catch {
      return "system"; // storage can be forbidden; the system's theme is then the only one
    }
  };
  const apply = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = theme;
  };
  apply(read());
  addEventListener("DOMContentLoaded", () => {
    apply(read());
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const next = ORDER[(ORDER.indexOf(read()) + 1) % ORDER.length];
        try {
          localStorage.setItem(KEY, next);
        } catch { /* for this page only, then */ }
        apply(next);
      });
    }
  });
})();
