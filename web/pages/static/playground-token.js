// Takes tokens apart, verifies them against the server's keys with WebCrypto, and explains what is in them. No token leaves the page.
(function () {
  "use strict";
  const page = window.playground;
  const say = page.say, make = page.make;
  const algorithms = {
    ES256: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-256" }, use: { name: "ECDSA", hash: "SHA-256" } },
    ES384: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-384" }, use: { name: "ECDSA", hash: "SHA-384" } },
    RS256: { kty: "RSA", key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, use: { name: "RSASSA-PKCS1-v1_5" } },
    PS256: { kty: "RSA", key: { name: "RSA-PSS", hash: "SHA-256" }, use: { name: "RSA-PSS", saltLength: 32 } },
    EdDSA: { kty: "OKP", key: { name: "Ed25519" }, use: { name: "Ed25519" } },
  };
  const times = ["exp", "iat", "nbf", "auth_time", "updated_at"];
  let keys = null; // of the server, as it published them last

  // bytes reads base64url as RFC 7515 has it: no padding, and no text that another would be read like.
  function bytes(text) {
    const read = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (c) { return c.charCodeAt(0); });
    if (base64url(read) !== text) {
      throw new TypeError("not base64url");
    }
    return read;
  }

  function base64url(data) {
    return btoa(Array.from(new Uint8Array(data), function (byte) { return String.fromCharCode(byte); }).join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function object(text) {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes(text)));
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw new TypeError("not an object");
    }
    return value;
  }

  // read takes a compact JWS apart; null: the text is none.
  function read(text) {
    const parts = text.split(".");
    if (parts.length !== 3) {
      return null;
    }
    try {
      return { header: object(parts[0]), claims: object(parts[1]), signed: parts[0] + "." + parts[1], signature: bytes(parts[2]) };
    } catch {
      return { header: null };
    }
  }

  async function publish() {
    const response = await fetch(page.metadata.jwks_uri, { credentials: "omit", cache: "no-cache" });
    keys = (await response.json()).keys || null;
  }

  // keyOf is the published key that the header names. One that is not known may be newer than what was read.
  async function keyOf(header) {
    const named = function (key) { return key.kid === header.kid && key.kty === algorithms[header.alg].kty && (!key.alg || key.alg === header.alg); };
    if (keys === null || !keys.some(named)) {
      await publish();
    }
    return keys.find(named);
  }

  // verify is the verdict on a signature: good and a sentence.
  async function verify(jwt) {
    const header = jwt.header, known = algorithms[header.alg];
    if (header.alg === "none" || jwt.signature.length === 0) {
      return { good: false, text: say("unsigned") };
    }
    if (!Object.hasOwn(algorithms, header.alg) || header.crit !== undefined || !window.crypto.subtle) { // RFC 7515 §4.1.11
      return { good: false, text: say("unable", { alg: header.alg }) };
    }
    const jwk = await keyOf(header);
    if (!jwk) {
      return { good: false, text: say("no_key", { kid: header.kid || "–" }) };
    }
    let key;
    try {
      const bare = { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, n: jwk.n, e: jwk.e };
      key = await crypto.subtle.importKey("jwk", bare, known.key, false, ["verify"]);
    } catch {
      return { good: false, text: say("unable", { alg: header.alg }) };
    }
    const good = await crypto.subtle.verify(known.use, key, jwt.signature, new TextEncoder().encode(jwt.signed));
    return good ? { good: true, text: say("signed", { alg: header.alg, kid: header.kid }) } : { good: false, text: say("forged") };
  }

  // relative is a time as people say it: in 14 minutes.
  function relative(seconds) {
    const away = Math.max(-1e12, Math.min(1e12, seconds - Date.now() / 1000)); // a token may name any number, and JSON.parse takes 1e999 for Infinity
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(function (u) { return Math.abs(away) >= u[1]; }) || ["second", 1];
    return new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(Math.trunc(away / size), unit);
  }

  function moment(seconds) {
    const at = new Date(seconds * 1000);
    return isNaN(at) ? "" : at.toISOString().replace(".000Z", "Z") + " (" + relative(seconds) + ")";
  }

  function claim([name, value]) {
    const explained = Object.hasOwn(page.texts, "claim_" + name) ? say("claim_" + name) : "";
    const time = times.includes(name) && typeof value === "number" ? moment(value) : "";
    return [
      make("dt", {}, make("code", {}, name)),
      make("dd", {}, make("code", {}, typeof value === "string" ? value : JSON.stringify(value)), ...[time, explained].filter(Boolean).map(function (text) {
        return make("span", {}, text);
      })),
    ];
  }

  function verdict(good, text) {
    return make("p", { class: good ? "verdict good" : "verdict bad-one" }, text);
  }

  // within is the verdict on the times of a token.
  function within(claims) {
    const now = Date.now() / 1000;
    if (typeof claims.exp === "number" && claims.exp <= now) {
      return verdict(false, say("expired", { when: relative(claims.exp) }));
    }
    if (typeof claims.nbf === "number" && claims.nbf > now) {
      return verdict(false, say("not_yet", { when: relative(claims.nbf) }));
    }
    return typeof claims.exp === "number" ? verdict(true, say("until", { when: relative(claims.exp) })) : null;
  }

  // view is a token as people read it. expected names claims whose values the request had set.
  async function view(heading, text, expected) {
    const title = make("h3", {}, heading);
    const jwt = read(text);
    if (jwt === null) {
      return make("div", { class: "token" }, title, make("p", {}, say("opaque")), make("pre", {}, make("code", {}, text)), page.copier(text));
    }
    if (jwt.header === null) {
      return make("div", { class: "token" }, title, verdict(false, say("malformed")), make("pre", {}, make("code", {}, text)));
    }
    const checks = [await verify(jwt).catch(function () {
      return { good: false, text: say("unable", { alg: jwt.header.alg }) }; // the keys could not be read: the answer is shown all the same
    }).then(function (v) { return verdict(v.good, v.text); }), within(jwt.claims)];
    if (jwt.claims.iss !== undefined && jwt.claims.iss !== page.app.issuer) {
      checks.push(verdict(false, say("other_issuer", { issuer: jwt.claims.iss })));
    }
    for (const [name, value] of Object.entries(expected || {})) {
      if (![].concat(jwt.claims[name]).includes(value)) { // aud may be a list (RFC 7519 §4.1.3)
        checks.push(verdict(false, say("unexpected", { claim: name })));
      }
    }
    return make("div", { class: "token" }, title, ...checks.filter(Boolean),
      make("dl", {}, ...Object.entries(jwt.claims).flatMap(claim)),
      make("details", {}, make("summary", {}, say("raw")), make("pre", {}, make("code", {}, JSON.stringify(jwt.header, null, 2))),
        make("pre", {}, make("code", {}, text)), page.copier(text)));
  }

  Object.assign(page, { view: view, base64url: base64url, algorithms: algorithms });
})();
