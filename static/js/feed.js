// The live feed: entries of the ledger as they are written, in order, none missing and none twice.
// The server resumes after the index it is told, so a lost connection costs nothing but a moment.
"use strict";
(() => {
  const feed = document.getElementById("feed");
  if (!feed) return;
  const KEPT = Number(feed.dataset.kept);
  const SILENT_LONG_MS = 30000;
  const row = document.getElementById("feed-row");
  const status = document.getElementById("connection");
  const count = document.querySelector("[data-ledger-size]");
  let last = Number(feed.dataset.after);
  let attempts = 0;
  let socket = null;
  let timer = 0;

  function say(state) {
    if (status.dataset.state !== state) status.dataset.state = state;
  }

  const text = (entry, name) => (entry[name] === null || entry[name] === undefined ? "" : String(entry[name]));

  // Filled with textContent only: whatever an entry holds stays text.
  function build(entry) {
    const item = row.content.firstElementChild.cloneNode(true);
    const set = (slot, value) => {
      const element = item.querySelector(`[data-slot="${slot}"]`);
      if (value) element.textContent = value;
      else element.remove();
    };
    const link = item.querySelector('[data-slot="title"]');
    link.href = feed.dataset.entryUrl.replace(/\d+(?=\/$)/, String(entry.index));
    link.textContent = text(entry, "title") || text(entry, "kind");
    const time = item.querySelector("time");
    time.dateTime = entry.time;
    window.countersignTime.show(time);
    set("principal", text(entry, "principal") || text(entry, "actor"));
    set("where", [text(entry, "datasource"), text(entry, "door") && `by ${text(entry, "door")}`].filter(Boolean).join(" "));
    set("relations", (entry.relations || []).join(", "));
    set("sql", text(entry, "sql_normal").replace(/\s+/g, " ").slice(0, 300));
    const badge = document.getElementById(`badge-${text(entry, "status") || text(entry, "verdict")}`);
    item.querySelector('[data-slot="verdict"]').replaceChildren(...(badge ? [badge.content.cloneNode(true)] : []));
    item.dataset.index = entry.index;
    item.classList.add("arrived");
    return item;
  }

  let pending = [];
  let painting = false;

  // Entries can come by the hundred: they are drawn once a frame, and of a burst only what will stay.
  function receive(entry) {
    if (typeof entry.index !== "number" || entry.index <= last) return;
    last = entry.index;
    pending.push(entry);
    if (pending.length > KEPT) pending = pending.slice(-KEPT);
    if (!painting) requestAnimationFrame(paint);
    painting = true;
  }

  function paint() {
    const items = pending.map(build).reverse();
    pending = [];
    painting = false;
    document.getElementById("feed-empty")?.remove();
    const reading = feed.scrollTop > 8; // somebody is reading further down: keep the place
    const before = feed.scrollHeight;
    feed.prepend(...items);
    while (feed.children.length > KEPT) feed.lastElementChild.remove();
    if (reading) feed.scrollTop += feed.scrollHeight - before;
    if (count) count.textContent = (last + 1).toLocaleString("en-GB");
    document.dispatchEvent(new CustomEvent("countersign:entries"));
  }

  function connect() {
    clearTimeout(timer);
    socket?.close();
    const url = new URL(feed.dataset.feed, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = new WebSocket(url);
    socket = mine;
    mine.addEventListener("open", () => {
      attempts = 0;
      say("live");
      mine.send(JSON.stringify({ after: last, many: true }));
    });
    mine.addEventListener("message", (event) => {
      if (socket !== mine) return;
      const entries = JSON.parse(event.data);
      if (Array.isArray(entries)) entries.forEach(receive);
    });
    mine.addEventListener("close", (event) => {
      if (socket !== mine) return;
      if (event.code === 4401) {
        say("offline"); // signed out: only a new sign-in helps
        return;
      }
      attempts += 1;
      say(navigator.onLine && attempts < 6 ? "reconnecting" : "offline");
      const wait = Math.min(SILENT_LONG_MS, 500 * 2 ** Math.min(attempts, 6)) * (0.75 + Math.random() / 2);
      timer = setTimeout(connect, wait);
    });
  }

  addEventListener("online", () => { attempts = 0; connect(); });
  addEventListener("offline", () => say("offline"));
  say("reconnecting");
  connect();
})();
