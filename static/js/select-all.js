// A list to tick: one box for all of the page, and how many are ticked. Without script each is ticked by itself.
"use strict";
for (const form of document.querySelectorAll("[data-select-form]")) {
  // Asked for each time: a list that refreshes itself has other boxes by and by.
  const boxes = () => [...form.querySelectorAll("[data-select]")];
  const label = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-select-count]");
  if (!label) continue;
  const all = label.querySelector("input");
  const tell = () => {
    const there = boxes();
    const ticked = there.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === there.length;
    all.indeterminate = ticked > 0 && ticked < there.length;
    count.textContent = ticked ? `${ticked} selected` : "";
  };
  label.hidden = false;
  // Enter would press the form's default button.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input, select")) event.preventDefault();
  });
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    tell();
  });
  form.addEventListener("change", (event) => { if (event.target !== all) tell(); });
  tell();
}
