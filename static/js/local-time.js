// Shows times in the viewer's own zone; UTC stays in the title. Ages and countdowns are kept current.
"use strict";
(() => {
  const full = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  function span(seconds, parts) {
    const units = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
    const first = units.findIndex(([amount]) => amount > 0);
    if (first < 0) return "0 s";
    return units.slice(first, first + parts).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
  }

  function relative(at) {
    const seconds = Math.round((at - Date.now()) / 1000);
    if (seconds > 0) return `in ${span(seconds, 2)}`;
    return `${span(-seconds, 1)} ago`;
  }

  function show(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const style = element.dataset.style;
    if (style === "age" || style === "countdown") element.textContent = relative(at);
    else element.textContent = (style === "clock" ? clock : style === "short" ? short : full).format(at);
    if (!element.title) element.title = at.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
  }

  const showAll = (root) => root.querySelectorAll("time[datetime]").forEach(show);
  window.countersignTime = { show };
  showAll(document);
  document.addEventListener("htmx:afterSwap", (event) => showAll(event.detail.elt.ownerDocument));
  setInterval(() => {
    document.querySelectorAll('time[data-style="age"], time[data-style="countdown"]').forEach(show);
  }, 1000);
})();
