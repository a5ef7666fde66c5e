// Times to search between are typed in the viewer's own zone; what is sent stays UTC.
"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const pad = (number) => String(number).padStart(2, "0");
  const spell = (at) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

  for (const input of document.querySelectorAll("input[data-utc]")) {
    const sent = document.createElement("input");
    sent.type = "hidden";
    sent.name = input.name;
    sent.value = input.value;
    input.removeAttribute("name");
    input.after(sent);
    if (input.value) input.value = spell(new Date(`${input.value}Z`));
    const label = document.querySelector(`label[for="${input.id}"]`);
    if (label) {
      label.textContent = label.textContent.replace(/\(UTC\).*/, "").trim();
      label.title = zone;
    }
    input.addEventListener("change", () => {
      sent.value = input.value ? new Date(input.value).toISOString().slice(0, 19) : "";
    });
  }

  // An address says only what is set, so that it can be read, kept and compared.
  document.getElementById("search")?.addEventListener("submit", (event) => {
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
  });
  // Coming back by the browser's own button, every field works again.
  addEventListener("pageshow", () => {
    for (const field of document.getElementById("search")?.elements ?? []) field.disabled = false;
  });
})();
