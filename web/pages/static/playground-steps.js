// The steps that all flows of the playground are made of, and the tokens in hand. They live in this page's memory alone.
(function () {
  "use strict";
  const page = window.playground;
  const say = page.say, make = page.make;
  const tokens = []; // {kind, text} in the order in which they came
  const chain = []; // the refresh tokens of the sign-in at hand, oldest first

  const section = function (name) { return document.getElementById("flow-" + name); };
  const field = function (id) {
    const element = document.getElementById(id);
    return element ? element.value.trim() : "";
  };
  const param = function (name, value) { return { name: name, value: value }; };

  // wishes are what the fields of a flow ask for.
  function wishes(flow) {
    return ["scope", "resource", "prompt"].filter(function (name) { return field(flow + "-" + name); }).map(function (name) {
      return param(name, field(flow + "-" + name));
    });
  }

  // during runs a step of a section: once at a time, and with whatever goes wrong said.
  async function during(name, step) {
    const buttons = Array.from(section(name).querySelectorAll("button")).filter(function (b) { return !b.disabled; });
    buttons.forEach(function (b) { b.disabled = true; });
    try {
      await step(section(name));
    } catch (reason) {
      page.tell(section(name), reason instanceof page.Missing ? reason.message : say("failed", { reason: reason.message }), false);
    } finally {
      buttons.forEach(function (b) { b.disabled = false; });
      page.settle();
    }
  }

  // ask sends a request that the app proves itself with, and shows it. mean is a sentence for an answer that is no error.
  async function ask(where, address, params, mean, expected) {
    const request = await page.prove(address, params);
    const answer = await page.send(request);
    const meaning = mean(answer) || say("refused", { status: answer.status });
    page.show(where, request, answer, meaning, answer.ok ? await seen(answer.json, expected) : []);
    return answer;
  }

  // seen are the views of the tokens of an answer.
  async function seen(json, expected) {
    const views = [];
    for (const kind of ["access", "refresh", "id"]) {
      if (typeof json[kind + "_token"] === "string") {
        views.push(await page.view(say(kind + "_token"), json[kind + "_token"], kind === "id" ? Object.assign({ aud: page.app.client_id }, expected) : undefined));
      }
    }
    return views;
  }

  // keep takes the tokens of an answer in hand.
  function keep(answer, fresh) {
    if (!answer.ok) {
      return;
    }
    if (fresh) {
      tokens.length = 0;
      chain.length = 0;
    }
    for (const kind of ["access", "refresh", "id"]) {
      const text = answer.json[kind + "_token"];
      if (typeof text !== "string" || tokens.some(function (t) { return t.text === text; })) {
        continue;
      }
      tokens.push({ kind: kind, text: text });
      if (kind === "refresh") {
        chain.push(text);
      }
    }
    list();
  }

  // list shows the tokens in hand, newest first, with what can be asked about each.
  function list() {
    const ul = section("tokens").querySelector("ul");
    section("tokens").querySelector(".none").hidden = tokens.length > 0;
    ul.hidden = tokens.length === 0;
    ul.replaceChildren(...tokens.slice(-12).reverse().map(function (token) {
      const acts = [page.button(say("inspect"), function () { page.inspect(token.text); })];
      if (token.kind === "access") {
        acts.push(page.button(say("userinfo"), function () { page.userinfo(token.text); }));
      }
      if (token.kind !== "id") {
        if (ul.dataset.introspect === "true") {
          acts.push(page.button(say("introspect"), function () { page.introspect("tokens", token.text); }));
        }
        acts.push(page.button(say("revoke"), function () { page.revoke(token.text); }));
      }
      const spent = token.kind === "refresh" && token.text !== chain[chain.length - 1];
      return make("li", {}, make("p", {}, make("b", {}, say(token.kind + "_token")), spent ? make("span", {}, say("exchanged")) : "", " ",
        make("code", {}, token.text.slice(0, 12) + "…" + token.text.slice(-8))), make("div", { class: "acts" }, ...acts));
    }));
  }

  const succeeds = function (id) { return function (answer) { return answer.ok ? say(id, answer.json) : ""; }; };

  Object.assign(page, {
    chain: chain, section: section, field: field, param: param, wishes: wishes, during: during, ask: ask, keep: keep, succeeds: succeeds,
  });
})();
