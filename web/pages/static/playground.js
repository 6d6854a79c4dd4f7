// Runs an app's flows, one step at a time. Tokens, codes and what is typed live in this page's memory alone.
(function () {
  "use strict";
  const page = window.playground;
  const app = page.app, say = page.say, make = page.make;
  const chain = page.chain, section = page.section, field = page.field, param = page.param;
  const wishes = page.wishes, during = page.during, ask = page.ask, keep = page.keep, succeeds = page.succeeds;
  let sent = null; // the authorization request that is under way: {verifier, state, nonce, window}
  let next = null; // the one that comes next, made ahead: a window opens only as an answer to a click
  let pushed = ""; // its request_uri, where it was pushed
  let code = ""; // that came back
  let device = null; // what the device authorization endpoint answered

  const act = function (name) { return page.root.querySelector("[data-act=" + name + "]"); };
  const enable = function (name, on) {
    if (act(name)) {
      act(name).disabled = !on;
    }
  };

  function random() {
    return page.base64url(crypto.getRandomValues(new Uint8Array(32)));
  }

  async function prepare() {
    const verifier = random();
    const challenge = page.base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
    next = { verifier: verifier, challenge: challenge, state: random(), nonce: random() };
    pushed = "";
    enable("open", !app.require_pushed_authorization_requests);
  }

  function authorization() {
    const params = [
      param("response_type", "code"), param("redirect_uri", app.callback), param("code_challenge", next.challenge), param("code_challenge_method", "S256"),
      param("state", next.state), ...wishes("code"),
    ];
    next.openid = field("code-scope").split(/\s+/).includes("openid");
    return next.openid ? params.concat(param("nonce", next.nonce)) : params;
  }

  // settle lets press what makes sense now.
  function settle() {
    enable("open", next !== null && (pushed !== "" || !app.require_pushed_authorization_requests));
    enable("exchange", code !== "" && !sent.spent);
    enable("wrong", code !== "" && !sent.spent);
    enable("again", code !== "" && sent.spent);
    enable("poll", device !== null);
    enable("refresh", chain.length > 0);
    enable("retry", chain.length > 1 || (chain.length > 0 && app.refresh_rotation === "static"));
    enable("older", chain.length > 2);
  }

  function push() {
    return during("code", async function (where) {
      const answer = await ask(where, page.metadata.pushed_authorization_request_endpoint, authorization(), function (answer) {
        return answer.ok ? say("pushed", { seconds: answer.json.expires_in }) : "";
      });
      pushed = answer.json.request_uri || "";
    });
  }

  function open() {
    const params = [param("client_id", app.client_id)].concat(pushed ? [param("request_uri", pushed)] : authorization());
    const address = page.metadata.authorization_endpoint + "?" + new URLSearchParams(params.map(function (p) { return [p.name, p.value]; }));
    const opened = window.open(address, "signet_playground", "popup,width=520,height=760");
    if (!opened) {
      page.tell(section("code"), say("blocked"), false);
      return;
    }
    sent = Object.assign(next, { window: opened, request: { method: "GET", address: page.metadata.authorization_endpoint, headers: [], params: params, curl: false } });
    code = "";
    next = null;
    page.tell(section("code"), say("waiting"), true);
    settle();
    prepare().then(settle);
  }

  // arrive takes what the window brings: only that window, of this origin, and once.
  function arrive(event) {
    if (event.origin !== location.origin || sent === null || event.source !== sent.window || !event.data || !event.data.playground) {
      return;
    }
    const answer = event.data.playground;
    sent.window.close();
    sent.window = null;
    const good = answer.state === sent.state && answer.iss === app.issuer;
    code = good && typeof answer.code === "string" ? answer.code : "";
    const shown = Object.entries(answer).map(function ([name, value]) { return name + "=" + value; }).join("\n");
    page.show(section("code"), sent.request, { ok: good && !answer.error, headers: [], body: shown, json: answer }, say(!good ? "foreign" : answer.error ? "declined" : "arrived"));
    settle();
  }

  function exchange(verifier, mean) {
    return during("code", async function (where) {
      const params = [param("grant_type", "authorization_code"), param("code", code), param("redirect_uri", app.callback), param("code_verifier", verifier)];
      const answer = await ask(where, page.metadata.token_endpoint, params, mean, sent.openid ? { nonce: sent.nonce } : undefined);
      keep(answer, true);
      sent.spent = sent.spent || answer.ok;
    });
  }

  function refusedAs(id) {
    return function (answer) { return answer.json.error === "invalid_grant" ? say(id) : answer.ok ? say("tokens") : ""; };
  }

  function refresh(token, mean) {
    return during("refresh", async function (where) {
      const before = chain[chain.length - 1];
      const answer = await ask(where, page.metadata.token_endpoint, [param("grant_type", "refresh_token"), param("refresh_token", token)], function (answer) {
        return mean(answer, before);
      });
      keep(answer, false);
    });
  }

  const refreshed = function (answer, before) {
    const got = answer.json.refresh_token;
    return answer.ok ? say(!got || got === before ? "kept" : "rotated") : answer.json.error === "invalid_grant" ? say("ended") : "";
  };
  const retried = function (answer, before) {
    const got = answer.json.refresh_token;
    return answer.ok ? say(app.refresh_rotation === "static" ? "kept" : got === before ? "forgiven" : "sibling") : answer.json.error === "invalid_grant" ? say("reused") : "";
  };

  function beginDevice() {
    return during("device", async function (where) {
      const answer = await ask(where, page.metadata.device_authorization_endpoint, wishes("device"), succeeds("device"));
      device = answer.ok ? answer.json : null;
      const shown = where.querySelector(".usercode");
      shown.hidden = device === null;
      if (device) {
        const link = device.verification_uri_complete.startsWith(app.issuer) ? { href: device.verification_uri_complete, target: "_blank", rel: "noopener" } : {};
        shown.replaceChildren(make("a", link, device.user_code));
      }
    });
  }

  function poll() {
    return during("device", async function (where) {
      const params = [param("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), param("device_code", device.device_code)];
      const answer = await ask(where, page.metadata.token_endpoint, params, function (answer) {
        const known = { authorization_pending: "pending", slow_down: "slow", access_denied: "declined" }[answer.json.error];
        return answer.ok ? say("tokens") : known ? say(known) : "";
      });
      keep(answer, true);
    });
  }

  function direct(name, params) {
    return during(name, async function (where) {
      keep(await ask(where, page.metadata.token_endpoint, params.concat(wishes(name)), succeeds("tokens")), true);
    });
  }

  function userinfo(token) {
    return during("tokens", async function (where) {
      const request = { method: "GET", address: page.metadata.userinfo_endpoint, headers: [{ name: "Authorization", scheme: "Bearer", value: token }], params: [] };
      const answer = await page.send(request);
      const signed = answer.ok && answer.headers.includes("content-type: application/jwt") ? [await page.view(say("userinfo"), answer.body)] : [];
      page.show(where, request, answer, answer.ok ? say("person") : say("refused", { status: answer.status }), signed);
    });
  }

  function introspect(name, token) {
    return during(name, function (where) {
      return ask(where, page.metadata.introspection_endpoint, [param("token", token)], function (answer) {
        return answer.ok ? say(answer.json.active ? "active" : "inactive") : "";
      });
    });
  }

  function revoke(token) {
    return during("tokens", function (where) {
      return ask(where, page.metadata.revocation_endpoint, [param("token", token)], succeeds("revoked"));
    });
  }

  function inspect(token) {
    document.getElementById("inspect").value = token;
    return during("inspect", async function (where) {
      where.querySelector(".answers").replaceChildren(await page.view(say("token"), token));
      page.tell(where, "", true);
      where.scrollIntoView({ block: "nearest" });
    });
  }

  const acts = {
    push: push, open: open, device: beginDevice, poll: poll,
    exchange: function () { return exchange(sent.verifier, succeeds("tokens")); },
    wrong: function () { return exchange(random(), refusedAs("misfit")); },
    again: function () { return exchange(sent.verifier, refusedAs("replayed")); },
    machine: function () { return direct("machine", [param("grant_type", "client_credentials")]); },
    password: function () {
      const password = { name: "password", value: document.getElementById("password-password").value, variable: "SIGNET_PASSWORD" };
      return direct("password", [param("grant_type", "password"), param("username", field("password-username")), password]);
    },
    refresh: function () { return refresh(chain[chain.length - 1], refreshed); },
    retry: function () { return refresh(chain[Math.max(0, chain.length - 2)], retried); },
    older: function () { return refresh(chain[0], retried); },
    inspect: function () { return inspect(field("inspect")); },
    introspect: function () { return introspect("inspect", field("inspect")); },
  };

  Object.assign(page, { settle: settle, inspect: inspect, userinfo: userinfo, introspect: introspect, revoke: revoke });

  async function begin() {
    page.root.hidden = false;
    const issuer = new URL(app.issuer);
    if (location.origin !== issuer.origin || !window.crypto.subtle) {
      const away = say(location.origin !== issuer.origin ? "elsewhere" : "insecure", { address: app.issuer });
      page.root.replaceChildren(make("p", { class: "bad", role: "alert" }, away));
      return;
    }
    page.metadata = await (await fetch(app.discovery, { credentials: "omit" })).json();
    window.addEventListener("message", arrive);
    for (const [name, run] of Object.entries(acts)) {
      if (act(name)) {
        act(name).addEventListener("click", run);
      }
    }
    if (section("code")) {
      await prepare();
    }
    settle();
    page.root.dataset.ready = "yes";
  }

  begin().catch(function (reason) {
    page.root.replaceChildren(make("p", { class: "bad", role: "alert" }, say("failed", { reason: reason.message })));
  });
})();
