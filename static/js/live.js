// Parts that refresh themselves leave alone what somebody is using: focus inside, or details opened.
"use strict";
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (!part.matches('[hx-trigger^="every"]')) return;
  if (document.hidden || part.contains(document.activeElement) || part.querySelector("details[open]")) event.preventDefault();
});
// A session that ended answers with the sign-in page: show that, instead of a hole in this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!new URL(event.detail.xhr.responseURL).pathname.startsWith("/accounts/")) return;
  event.detail.shouldSwap = false;
  location.reload();
});
