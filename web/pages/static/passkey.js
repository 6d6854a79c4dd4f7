// Asks the browser for a passkey and sends what it answers with the form around the button. Without this file, and in browsers that
// know no passkeys, the button stays hidden.
(function () {
  "use strict";
  var part = document.querySelector("[data-passkey]");
  var missing = document.querySelector("[data-passkey-missing]");
  if (!part || !window.PublicKeyCredential || !navigator.credentials) {
    if (missing) {
      missing.hidden = false;
    }
    return;
  }
  var act = part.dataset.passkey;
  var form = part.closest("form");
  var button = part.querySelector("button");
  var failed = part.querySelector("[role=alert]");
  var waiting = null; // the request that the fields offer passkeys for

  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (c) {
      return c.charCodeAt(0);
    });
  }

  function text(buffer) {
    return btoa(String.fromCharCode.apply(null, new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function ask(request) {
    var options = JSON.parse(part.dataset.options);
    options.challenge = bytes(options.challenge);
    if (options.user) {
      options.user.id = bytes(options.user.id);
    }
    (options.allowCredentials || options.excludeCredentials || []).forEach(function (credential) {
      credential.id = bytes(credential.id);
    });
    request.publicKey = options;
    return navigator.credentials[act](request).then(function (credential) {
      var from = credential.response;
      var response = {};
      ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"].forEach(function (name) {
        if (from[name]) {
          response[name] = text(from[name]);
        }
      });
      if (from.getTransports) {
        response.transports = from.getTransports();
      }
      form.elements.passkey.value = JSON.stringify({ id: credential.id, rawId: credential.id, type: credential.type, response: response });
      form.submit();
    });
  }

  function begin() {
    if (waiting) {
      waiting.abort();
      waiting = null;
    }
    button.disabled = true;
    failed.hidden = true;
    ask({}).catch(function () {
      failed.hidden = false;
      button.disabled = false;
    });
  }

  button.addEventListener("click", begin);
  if (act === "create") {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      begin();
    });
  }
  part.hidden = false;
  if ("conditional" in part.dataset && window.AbortController && PublicKeyCredential.isConditionalMediationAvailable) {
    PublicKeyCredential.isConditionalMediationAvailable().then(function (there) {
      if (there && !button.disabled) {
        waiting = new AbortController();
        return ask({ mediation: "conditional", signal: waiting.signal });
      }
    }).catch(function () {}); // the button is there still
  }
})();
