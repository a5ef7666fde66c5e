// Passkeys: hands what the server asks for (data-options) to the browser, and sends back what it answers.
// Without this script the form stays hidden, and a code is used instead.
"use strict";
(() => {
  const ENDED = "Nothing was sent: the browser was told to stop, or it took too long. Try again, or use a code.";
  const KNOWN = "This device is registered already.";
  const ask = {
    make: (options) => webauthnJSON.create(options.creation_options),
    show: (options) => webauthnJSON.get(options.request_options),
  };
  function problem(form, error) {
    const place = form.querySelector("[data-passkey-problem]");
    place.textContent = error.name === "InvalidStateError" ? KNOWN : ENDED;
    place.hidden = false;
  }
  function listen(form) {
    const button = form.querySelector("[data-passkey-start]");
    form.addEventListener("submit", (event) => { event.preventDefault(); button.click(); });
    button.addEventListener("click", async () => {
      if (!form.reportValidity()) return;
      button.disabled = true;
      try {
        const credential = await ask[form.dataset.passkey](JSON.parse(form.dataset.options));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch (error) {
        problem(form, error);
        button.disabled = false;
      }
    });
    form.hidden = false;
    if (form.dataset.passkey === "show") button.focus();
  }
  const works = window.webauthnJSON && webauthnJSON.supported();
  document.querySelectorAll("[data-passkey-absent]").forEach((note) => { note.hidden = works; });
  if (works) document.querySelectorAll("form[data-passkey]").forEach(listen);
})();
