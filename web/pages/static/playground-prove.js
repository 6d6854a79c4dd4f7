// Proves the app to the token endpoints, by the method that it is registered with. What is typed stays in its field: it is read when a
// request is made, and kept nowhere.
(function () {
  "use strict";
  const page = window.playground;
  const app = page.app, say = page.say;
  const field = document.getElementById("proof");
  const hashes = { HS256: "SHA-256", HS384: "SHA-384", HS512: "SHA-512" };

  // Missing is a request that cannot be made. Its message is for the person.
  class Missing extends Error {}

  function formEncoded(text) {
    return new URLSearchParams([["", text]]).toString().slice(1); // RFC 6749 §2.3.1
  }

  async function signer(proof) {
    if (app.token_endpoint_auth_method === "client_secret_jwt") {
      const alg = app.token_endpoint_auth_signing_alg || "HS256";
      const use = { name: "HMAC", hash: hashes[alg] };
      return { header: { alg: alg }, use: use, key: await crypto.subtle.importKey("raw", new TextEncoder().encode(proof), use, false, ["sign"]) };
    }
    try {
      const jwk = JSON.parse(proof);
      const alg = app.token_endpoint_auth_signing_alg || jwk.alg || { "P-256": "ES256", "P-384": "ES384", Ed25519: "EdDSA" }[jwk.crv] || "RS256";
      const known = page.algorithms[alg];
      const bare = Object.assign({}, jwk);
      for (const name of ["alg", "use", "key_ops", "ext", "kid"]) {
        delete bare[name];
      }
      const header = jwk.kid ? { alg: alg, kid: jwk.kid } : { alg: alg };
      return { header: header, use: known.use, key: await crypto.subtle.importKey("jwk", bare, known.key, false, ["sign"]) };
    } catch {
      throw new Missing(say("bad_key"));
    }
  }

  // assertion is a client assertion of RFC 7523 §3, for one request.
  async function assertion(proof) {
    const by = await signer(proof);
    const now = Math.floor(Date.now() / 1000);
    const jti = page.base64url(crypto.getRandomValues(new Uint8Array(16)));
    const part = function (value) { return page.base64url(new TextEncoder().encode(JSON.stringify(value))); };
    const signed = part(Object.assign(by.header, { typ: "JWT" })) + "." +
      part({ iss: app.client_id, sub: app.client_id, aud: app.issuer, jti: jti, iat: now, exp: now + 60 });
    return signed + "." + page.base64url(await crypto.subtle.sign(by.use, by.key, new TextEncoder().encode(signed)));
  }

  // prove is a request to an endpoint with what proves the app.
  async function prove(address, params) {
    const request = { method: "POST", address: address, headers: [], params: params };
    const method = app.token_endpoint_auth_method;
    if (method === "none") {
      params.push({ name: "client_id", value: app.client_id });
      return request;
    }
    const proof = field.value.trim();
    if (proof === "") {
      field.focus();
      throw new Missing(say("no_secret"));
    }
    if (method === "client_secret_basic") {
      request.user = formEncoded(app.client_id);
      request.headers.push({
        name: "Authorization", scheme: "Basic", value: btoa(request.user + ":" + formEncoded(proof)), variable: "SIGNET_CLIENT_SECRET",
      });
      return request;
    }
    params.push({ name: "client_id", value: app.client_id });
    if (method === "client_secret_post") {
      params.push({ name: "client_secret", value: proof, variable: "SIGNET_CLIENT_SECRET" });
      return request;
    }
    params.push({ name: "client_assertion_type", value: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" });
    params.push({ name: "client_assertion", value: await assertion(proof), variable: "SIGNET_CLIENT_ASSERTION" });
    return request;
  }

  Object.assign(page, { prove: prove, Missing: Missing });
})();
