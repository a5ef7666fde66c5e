// The policy editor: line numbers, wrong lines marked where they are, Tab indents, nothing is left by accident.
// The page works without it. What is wrong comes from the server as a list (htmx asks for it as somebody types).
"use strict";
(() => {
  const box = document.querySelector("textarea[data-editor]");
  if (!box) return;
  const form = box.form;
  const numbers = document.getElementById("editor-lines");
  const marks = document.getElementById("editor-marks");
  const problems = () => [...document.querySelectorAll("#problems [data-line]")];
  const rowHeight = () => parseFloat(getComputedStyle(box).lineHeight);

  function number() {
    const wanted = box.value.split("\n").length;
    while (numbers.children.length > wanted) numbers.lastElementChild.remove();
    while (numbers.children.length < wanted) {
      const item = document.createElement("li");
      item.textContent = String(numbers.children.length + 1);
      numbers.append(item);
    }
  }

  // Several problems of one line share its mark; an error outweighs a warning.
  function byLine(last) {
    const found = new Map();
    for (const { dataset } of problems()) {
      const line = Math.min(Number(dataset.line), last);
      const { kind = dataset.kind, reasons = [] } = found.get(line) ?? {};
      found.set(line, { kind: kind === "error" ? kind : dataset.kind, reasons: [...reasons, dataset.reason] });
    }
    return found;
  }

  // The message stands right behind the line's own text: an unseen copy of the text makes the room.
  function mark() {
    const lines = box.value.split("\n");
    const padding = parseFloat(getComputedStyle(box).paddingTop);
    for (const item of numbers.querySelectorAll("[data-mark]")) {
      delete item.dataset.mark;
      item.removeAttribute("title");
    }
    marks.replaceChildren(...[...byLine(lines.length)].map(([line, { kind, reasons }]) => {
      const item = numbers.children[line - 1];
      item.dataset.mark = kind;
      item.title = reasons.join("; ");
      const row = document.createElement("div");
      row.dataset.mark = kind;
      row.style.top = `${padding + (line - 1) * rowHeight()}px`;
      const spacer = document.createElement("span");
      spacer.className = "spacer";
      spacer.textContent = `${lines[line - 1]}    `;
      const message = document.createElement("span");
      message.textContent = reasons.join("; ");
      row.append(spacer, message);
      return row;
    }));
    scroll();
  }

  function scroll() {
    numbers.scrollTop = box.scrollTop;
    marks.style.transform = `translateY(${-box.scrollTop}px)`;
    marks.style.bottom = `${-box.scrollTop}px`;
    for (const row of marks.children) row.style.transform = `translateX(${-box.scrollLeft}px)`;
  }

  function goTo(line) {
    const lines = box.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    box.focus();
    box.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    box.scrollTop = Math.max(0, (line - 4) * rowHeight());
  }

  // Undo keeps working only for text that is inserted like typed text.
  function insert(text) {
    if (!document.execCommand("insertText", false, text)) box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  }

  let leaving = false; // Escape lets the next Tab leave the box, so that the keyboard is never caught in it
  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && !leaving) {
      event.preventDefault();
      insert("  ");
    }
    leaving = event.key === "Escape";
  });
  box.addEventListener("input", () => { number(); marks.replaceChildren(); });
  box.addEventListener("scroll", scroll);
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "problems") mark(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-go]");
    if (!link) return;
    event.preventDefault();
    goTo(Number(link.dataset.go));
  });

  // A replay tells how far it is while somebody waits for it.
  const told = document.getElementById("replay-progress");
  const button = document.querySelector("[data-progress]");
  let timer = 0;
  async function ask() {
    const answer = await fetch(button.dataset.progress, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok && timer) told.textContent = `${(await answer.json()).done.toLocaleString("en-GB")} statements done`;
  }
  button.addEventListener("htmx:beforeRequest", () => {
    told.textContent = "Working…";
    timer = setInterval(ask, 700);
  });
  button.addEventListener("htmx:afterRequest", (event) => {
    clearInterval(timer);
    timer = 0;
    told.textContent = event.detail.successful ? "" : "It did not end. Your text is kept; try again.";
  });

  const untouched = form.dataset.changed !== "true";
  const before = box.value;
  let sending = false;
  form.addEventListener("submit", () => { sending = true; });
  addEventListener("pageshow", () => { sending = false; });
  addEventListener("beforeunload", (event) => {
    if (!sending && !(untouched && box.value === before)) event.preventDefault();
  });

  number();
  mark();
})();
