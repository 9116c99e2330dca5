// Passkeys: a button has the browser use one or make one, and sends its form with the
// answer. Where browsers have none the buttons stay hidden, and the password lets in.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const read = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  // perform does what the service asks for, and returns what it gets from the browser.
  const perform = async ({ get, create }) => {
    if (create) {
      return navigator.credentials.create({ publicKey: { ...create, challenge: bytes(create.challenge),
        user: { ...create.user, id: bytes(create.user.id) }, excludeCredentials: read(create.excludeCredentials) } });
    }
    return navigator.credentials.get({ publicKey: { ...get, challenge: bytes(get.challenge), allowCredentials: read(get.allowCredentials) } });
  };

  const written = ({ id, rawId, type, response }) => {
    const parts = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) parts[name] = text(response[name]);
    }
    if (response.getTransports) parts.transports = response.getTransports();
    return JSON.stringify({ id, rawId: text(rawId), type, response: parts });
  };

  const use = async (button) => {
    const says = button.form.querySelector(".passkey-says");
    says.hidden = true;
    try {
      const asked = await fetch(button.dataset.passkey, { method: "POST", credentials: "same-origin" });
      if (!asked.ok || asked.redirected) throw new Error(asked.redirected ? says.dataset.failed : await asked.text());
      const key = await perform(await asked.json());
      button.form.elements.answer.value = written(key);
      button.form.submit();
    } catch (error) {
      says.textContent = error instanceof DOMException || !error.message ? says.dataset.failed : error.message;
      says.hidden = false;
      button.disabled = false;
    }
  };

  if (!window.PublicKeyCredential) return;
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    for (const part of [button, button.form, ...document.querySelectorAll(".passkey-only")]) part.hidden = false;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      button.disabled = true;
      use(button);
    });
  }
})();
