// Sends the playground's requests and shows them with their answers. All that is shown is put in as text: nothing that comes from
// outside becomes markup. What is secret is sent, and shown as the name of a variable.
(function () {
  "use strict";
  const root = document.getElementById("playground");
  const app = JSON.parse(root.dataset.app);
  const texts = JSON.parse(root.dataset.texts);
  const words = document.querySelector("script[data-copied]").dataset;
  const most = 12; // exchanges that a section keeps
  const told = ["content-type", "cache-control", "www-authenticate", "retry-after", "x-request-id"];

  // say is a text with its values, each in its own direction.
  function say(id, values) {
    return texts[id].replace(/\{([a-z]+)\}/g, function (_, name) {
      const value = typeof values[name] === "string" ? values[name] : String(JSON.stringify(values[name])); // a token may hold anything
      return document.dir === "rtl" || /[^\x20-\x7e]/.test(value) ? "\u2068" + value + "\u2069" : value;
    });
  }

  // make is an element with attributes and children, of which strings are text.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      element.setAttribute(name, value);
    }
    element.append(...children.filter(function (child) { return child !== null; }));
    return element;
  }

  function button(text, act) {
    const element = make("button", { type: "button" }, text);
    element.addEventListener("click", act);
    return element;
  }

  function copier(text) {
    if (!navigator.clipboard) {
      return null;
    }
    const element = button(words.copy, function () {
      navigator.clipboard.writeText(text).then(function () {
        element.textContent = words.copied;
        setTimeout(function () {
          element.textContent = words.copy;
        }, 2000);
      });
    });
    element.className = "copy";
    element.setAttribute("aria-live", "polite");
    return element;
  }

  // visible is a value as it may be read: {name, value, variable}, where variable stands for what is secret.
  function visible(part) {
    return part.variable ? "$" + part.variable : part.value;
  }

  function asText(request) {
    const lines = [request.method + " " + request.address];
    for (const header of request.headers) {
      lines.push(header.name + ": " + (header.scheme ? header.scheme + " " : "") + visible(header));
    }
    if (request.params.length > 0) {
      lines.push("", request.params.map(function (p) { return p.name + "=" + visible(p); }).join("\n&"));
    }
    return lines.join("\n");
  }

  function quoted(text) {
    return "'" + text.replace(/'/g, "'\\''") + "'";
  }

  function asCurl(request) {
    const lines = ["curl " + quoted(request.address)];
    if (request.user) {
      lines.push("-u " + quoted(request.user) + ':"$SIGNET_CLIENT_SECRET"');
    }
    for (const header of request.headers) {
      if (!header.variable) {
        lines.push("-H " + quoted(header.name + ": " + (header.scheme ? header.scheme + " " : "") + header.value));
      }
    }
    for (const p of request.params) {
      lines.push("--data-urlencode " + (p.variable ? '"' + p.name + "=$" + p.variable + '"' : quoted(p.name + "=" + p.value)));
    }
    return lines.join(" \\\n  ");
  }

  // send sends a request and returns its answer. Cookies stay at home, as they would for any other program.
  async function send(request) {
    const headers = {};
    for (const header of request.headers) {
      headers[header.name] = (header.scheme ? header.scheme + " " : "") + header.value;
    }
    const init = { method: request.method, headers: headers, credentials: "omit", cache: "no-store", redirect: "error" };
    if (request.method === "POST") {
      init.body = new URLSearchParams(request.params.map(function (p) { return [p.name, p.value]; }));
    }
    const response = await fetch(request.address, init);
    const answer = { status: response.status, ok: response.ok, id: response.headers.get("X-Request-Id"), headers: [], body: await response.text(), json: {} };
    for (const name of told) {
      if (response.headers.get(name)) {
        answer.headers.push(name + ": " + response.headers.get(name));
      }
    }
    if (/^application\/([a-z.-]+\+)?json/.test(response.headers.get("Content-Type") || "")) {
      answer.json = JSON.parse(answer.body);
      answer.body = JSON.stringify(answer.json, null, 2);
    }
    return answer;
  }

  function block(heading, text) {
    return [make("h3", {}, heading), make("pre", {}, make("code", {}, text))];
  }

  // refusal is what an error says, and where the app's owner reads more of it.
  function refusal(answer) {
    if (!answer.json.error) {
      return null;
    }
    return make("div", { class: "bad" },
      make("p", {}, make("code", {}, answer.json.error), " ", make("span", { lang: "en", dir: "ltr" }, answer.json.error_description || "")),
      make("p", {}, make("a", { href: app.errors }, say("errors")), answer.id ? " " + say("id") + " " : "", answer.id ? make("code", {}, answer.id) : ""));
  }

  // show puts a request and its answer on top of its section's others, with one sentence about what it means, and tokens taken apart.
  function show(section, request, answer, meaning, tokens) {
    const curl = request.curl === false ? null : asCurl(request);
    const lines = answer.status ? ["HTTP " + answer.status].concat(answer.headers, "", answer.body) : [answer.body];
    const answers = section.querySelector(".answers");
    for (const older of answers.children) {
      older.open = false;
    }
    answers.prepend(make("details", { class: "exchange", open: "" },
      make("summary", {}, make("code", {}, request.method + " " + new URL(request.address).pathname), " ", String(answer.status || "")),
      refusal(answer), ...(tokens || []), ...block(say("request"), asText(request)),
      curl && make("details", {}, make("summary", {}, say("curl")), make("pre", {}, make("code", {}, curl)), copier(curl)),
      ...block(say("answer"), lines.join("\n").trim())));
    while (answers.children.length > most) {
      answers.lastChild.remove();
    }
    tell(section, meaning, answer.ok);
  }

  // tell says one sentence in a section.
  function tell(section, sentence, good) {
    const said = section.querySelector(".said");
    said.className = good ? "said" : "said wrong";
    said.textContent = sentence;
  }

  window.playground = { root: root, app: app, say: say, texts: texts, make: make, button: button, copier: copier, send: send, show: show, tell: tell };
})();
