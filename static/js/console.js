// The statement box: Ctrl+Enter (or Cmd+Enter) presses Run.
"use strict";
(() => {
  const box = document.querySelector("textarea.sql-input");
  box?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    box.form.requestSubmit(box.form.querySelector('button[value="run"]'));
  });
})();
