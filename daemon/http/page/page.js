"use strict";
(function () {
  var TEXTS = @LABELS@;
  var QUALITY = { good: "✓", suspect: "!", bad: "✕", missing: "–", stale: "◷", maintenance: "⚙" };
  var POLL = 5000;       // ms between two polls while no stream can be had
  var SILENCE = 40000;   // ms without a byte (heartbeats come every 15 s): the stream is dead
  var LEAST_STALE = 30000;

  var $ = function (id) { return document.getElementById(id); };
  var store = function (kind, key, value) {
    // A browser may forbid storage; then a choice lasts as long as the page.
    try {
      if (value === undefined) return window[kind].getItem(key);
      window[kind].setItem(key, value);
    } catch (e) { /* nothing to keep it in */ }
    return null;
  };
  var asked = /[?&]lang=(ind|eng)\b/.exec(location.search);
  var lang = asked ? asked[1] : store("localStorage", "lang");
  var chosen = lang === "ind" || lang === "eng";
  var T = TEXTS[chosen ? lang : "ind"];
  var token = store("sessionStorage", "token") || "";

  var state = null;     // the newest status document
  var stateAt = 0;      // performance.now() when it came
  var rows = {};        // sensor id → what is shown of it
  var order = [];       // the sensors as the gateway listed them
  var alarms = {};      // id → the newest that was said of it
  var link = "wait";    // wait, ask, live, polling, lost
  var lastData = 0;     // gateway time of the newest contact, ms
  var run = 0;          // a newer connect() makes the older one stop

  // ---- texts ---------------------------------------------------------------------------------
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, function (all, key) { return key in values ? values[key] : all; });
  }
  function count(forms, n) { return fill(forms[n === 1 ? 0 : 1], { n: number(n, 0) }); }
  function number(value, decimals) {
    return value.toLocaleString(T.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  }
  function size(bytes) {
    var units = ["B", "KiB", "MiB", "GiB", "TiB"], i = 0;
    while (bytes >= 1024 && i < 4) { bytes /= 1024; i++; }
    return number(bytes, i > 0 && bytes < 10 ? 1 : 0) + " " + units[i];
  }
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function clock(ms) {
    var offset = state ? state.utcOffsetMs : 0, zone = state ? state.zone : "UTC";
    var then = new Date(ms + offset), now = new Date(gatewayNow() + offset);
    var text = two(then.getUTCHours()) + (T.html === "id" ? "." : ":") + two(then.getUTCMinutes());
    var far = Math.abs(now - then) > 864e5 / 2 || now.getUTCDate() !== then.getUTCDate();
    if (far && state) text = then.toLocaleDateString(T.locale, { day: "numeric", month: "short", timeZone: "UTC" }) + " " + text;
    return text + " " + zone;
  }
  function gatewayNow() { return state ? state.nowMs + (performance.now() - stateAt) : Date.now(); }
  function age(ms) {
    var s = Math.floor(ms / 1000);
    if (s < 2) return T.age.now;
    if (s < 60) return count(T.age.s, s);
    if (s < 3600) return count(T.age.m, Math.floor(s / 60));
    if (s < 86400) return count(T.age.h, Math.floor(s / 3600));
    return count(T.age.d, Math.floor(s / 86400));
  }

  // ---- elements ------------------------------------------------------------------------------
  function make(tag, kind, text) {
    var node = document.createElement(tag);
    if (kind) node.className = kind;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  function chip(quality, text) {
    var node = make("span", "chip " + quality);
    var icon = make("i", "", QUALITY[quality]);
    icon.setAttribute("aria-hidden", "true");
    node.appendChild(icon);
    node.appendChild(make("span", "", text));
    return node;
  }
  function setChip(node, quality, text) {
    var kind = "chip " + quality;
    if (node.className !== kind) node.className = kind;
    put(node.firstChild, QUALITY[quality]);
    put(node.lastChild, text);
  }

  // ---- sensors -------------------------------------------------------------------------------
  function ageOf(row) { return row.newest.ageMs + (performance.now() - row.at); }
  function qualityOf(row) {
    if (!row.newest) return "missing";
    var interval = row.info.intervalMs;
    if (interval > 0 && ageOf(row) > Math.max(3 * interval, LEAST_STALE)) return "stale";
    if (row.newest.reason === "MAINTENANCE") return "maintenance";
    return row.newest.quality === "not_evaluated" ? "good" : row.newest.quality;
  }
  function valueText(row) {
    var value = row.newest && row.newest.value;
    if (typeof value !== "number") return "—";
    if (row.info.kind === "state") return value ? T.on : T.off;
    return number(value, row.info.decimals);
  }
  function showRow(row) {
    var quality = qualityOf(row), newest = row.newest, text = T.quality[quality];
    if (!newest) text = T.waiting_first;
    else if (newest.reason && quality !== "good" && quality !== "stale" && quality !== "maintenance") text += ": " + (T.reason[newest.reason] || newest.reason);
    row.quality = quality;
    put(row.number, valueText(row));
    setChip(row.chip, quality, text);
    put(row.age, newest ? age(ageOf(row)) : "");
    put(row.mark, newest && newest.clock === "UNTRUSTED" ? T.untrusted : "");
    var kind = "row q-" + quality + (quality === "stale" ? " old" : "");
    if (row.node.className !== kind) row.node.className = kind;
  }
  function makeRow(info, twice) {
    var row = { info: info, newest: null, at: 0 };
    row.node = make("div", "row");
    row.node.id = "s-" + info.id;
    row.node.appendChild(make("div", "label", nameOf(info) + (twice ? " (" + info.id + ")" : "")));
    var value = make("div", "value");
    row.number = make("span", "number");
    value.appendChild(row.number);
    if (info.kind !== "state" && info.unit !== "1") value.appendChild(make("span", "unit", info.unit));
    row.node.appendChild(value);
    var under = make("div", "under");
    row.chip = chip("missing", "");
    row.mark = make("span", "mark");
    row.age = make("span", "age");
    under.appendChild(row.chip);
    under.appendChild(row.mark);
    under.appendChild(row.age);
    row.node.appendChild(under);
    return row;
  }
  function showSensors() {
    var old = rows, groups = {}, names = [], called = {}, holder = $("sensors");
    // One heading for a domain; with several drivers in it, one for each.
    function titleOf(info) { return T.domain[info.domain] || info.domain; }
    function keyOf(info) { return titleOf(info) + "\u0000" + (info.device || info.driver); }
    function callOf(info) { return keyOf(info) + "\u0000" + nameOf(info); }
    rows = {};
    order.forEach(function (info) { called[callOf(info)] = (called[callOf(info)] || 0) + 1; });
    order.forEach(function (info) {
      var row = makeRow(info, called[callOf(info)] > 1), before = old[info.id];
      if (before) { row.newest = before.newest; row.at = before.at; }
      rows[info.id] = row;
      var title = titleOf(info), key = keyOf(info);
      if (!groups[key]) { groups[key] = { title: title, by: info.device || info.driver, rows: [] }; names.push(key); }
      groups[key].rows.push(row);
    });
    holder.textContent = "";
    if (!order.length) holder.appendChild(make("p", "row", T.no_sensors));
    var domains = {};
    names.forEach(function (key) { var t = groups[key].title; (domains[t] = domains[t] || []).push(groups[key]); });
    Object.keys(domains).forEach(function (title) {
      domains[title].forEach(function (group) {
        holder.appendChild(make("h2", "", domains[title].length > 1 ? title + " · " + group.by : title));
        var card = make("div", "card");
        group.rows.forEach(function (row) { showRow(row); card.appendChild(row.node); });
        holder.appendChild(card);
      });
    });
    showSummary();
  }
  function showSummary() {
    var totals = {}, holder = $("summary");
    Object.keys(rows).forEach(function (id) { var q = rows[id].quality; totals[q] = (totals[q] || 0) + 1; });
    var key = T.html + JSON.stringify(totals);
    if (holder.dataset.key === key) return;
    holder.dataset.key = key;
    holder.textContent = "";
    Object.keys(QUALITY).forEach(function (q) {
      if (totals[q]) holder.appendChild(chip(q, number(totals[q], 0) + " " + T.quality[q]));
    });
  }
  // Which tests give which mark, as config/README.md says.
  var TESTS = {
    suspect: ["RANGE", "RATE", "SPIKE", "FLAT", "RELATED", "WARM_UP", "CALIBRATION"], bad: ["RANGE", "SPIKE", "FLAT", "NOT_A_NUMBER"],
    missing: ["TIMEOUT", "NO_CONNECTION", "CRC", "EXCEPTION", "PROTOCOL", "STALE", "DRIVER", "DEVICE_FAULT", "BACK_OFF", "NO_TARGET", "CONVERSION"]
  };
  function showKey() {
    var holder = $("key");
    holder.textContent = "";
    holder.hidden = !order.length;
    holder.appendChild(make("summary", "", T.key));
    Object.keys(QUALITY).forEach(function (q) {
      var node = make("p", "");
      node.appendChild(chip(q, T.quality[q]));
      var reasons = (TESTS[q] || []).map(function (r) { return T.reason[r]; }).join(", ");
      node.appendChild(make("span", "", " " + T.key_of[q] + (reasons ? " " + reasons + "." : "")));
      holder.appendChild(node);
    });
  }
  function takeSensors(document_) {
    order = document_.sensors;
    showSensors();
    showKey();
    order.forEach(function (info) { if (info.newest) takeReading(info.id, info.newest); });
    showSummary();
    showState();  // it names sensors
  }
  function takeReading(id, newest) {
    var row = rows[id];
    if (!row) return;
    row.newest = newest;
    row.at = performance.now();
    showRow(row);
  }

  // ---- alarms --------------------------------------------------------------------------------
  var RANK = { CRITICAL: 4, HIGH: 3, WARNING: 2, INFO: 1 };
  function showAlarms() {
    var holder = $("alarms"), ind = T.html === "id";
    var active = Object.keys(alarms).map(function (id) { return alarms[id]; })
      .filter(function (a) { return a.state !== "CLEARED"; })
      .sort(function (a, b) { return RANK[b.severity] - RANK[a.severity] || b.sinceMs - a.sinceMs; });
    holder.textContent = "";
    holder.hidden = !active.length;
    if (active.length) holder.appendChild(make("h2", "", fill(T.alarms, { n: active.length })));
    active.forEach(function (a) {
      var node = make("div", "alarm " + a.severity.toLowerCase());
      node.appendChild(make("b", "", T.severity[a.severity] + ": " + (ind ? a.textInd : a.textEng)));
      var value = typeof a.value === "number" ? a.value.toLocaleString(T.locale) + " " + (a.unit || "") : "";
      var more = [value, fill(T.since, { time: clock(a.sinceMs) }), ind ? a.adviceInd : a.adviceEng];
      node.appendChild(make("div", "more", more.filter(Boolean).join(" · ")));
      holder.appendChild(node);
    });
  }
  function takeAlarms(document_) {
    alarms = {};
    document_.alarms.forEach(function (a) { alarms[a.id] = a; });
    showAlarms();
  }

  // ---- gateway -------------------------------------------------------------------------------
  function fact(card, name, quality, text, more) {
    var node = make("div", "fact");
    node.appendChild(make("b", "", name));
    node.appendChild(chip(quality, text));
    more = more.filter(Boolean);
    if (more.length) node.appendChild(make("div", "more", more.join(" · ")));
    card.appendChild(node);
  }
  function section(holder, title) {
    var card = make("div", "card");
    holder.appendChild(make("h2", "", title));
    holder.appendChild(card);
    return card;
  }
  function requests(device) {
    var parts = Object.keys(device.requests).map(function (result) {
      return number(device.requests[result], 0) + " " + (T.requests[result] || result);
    });
    var took = device.roundTripMs;
    if (took) parts.push(fill(T.took, { a: number(took.p50, 0), b: number(took.p95, 0), c: number(took.maximum, 0) }));
    if (device.lastAnswerMs) parts.push(fill(T.answered, { age: age(gatewayNow() - device.lastAnswerMs) }));
    else if (parts.length) parts.push(T.never_answered);
    return parts.length ? (device.id ? device.id + " (" + device.name + ")" : device.name) + ": " + parts.join(", ") : "";
  }
  function nameOf(info) { return (T.html === "id" ? info.labelInd : info.labelEng) || info.id; }
  function happened(note) {
    var text = T.event[note.kind];
    if (!text) return note.text;
    var values = { name: note.subject, state: T.state[note.state] || T[note.state] || note.state };
    if (/^maintenance_/.test(note.kind)) {
      var row = rows[note.subject], length = /^(\d+)([smhd])$/.exec(note.state);
      if (row) values.name = nameOf(row.info);
      if (length) values.state = count(T.length[length[2]], Number(length[1]));
    }
    return fill(text, values) + (note.detail ? ": " + note.detail : "");
  }
  function showState() {
    if (!state) return;
    var place = [T.site[state.siteKind] || state.siteKind, state.region].filter(Boolean).join(" · ");
    put($("site"), state.site || state.gateway);
    put($("place"), place || state.gateway);
    document.title = (state.site || state.gateway) + " — " + T.status[state.status];
    put($("foot"), "Gerbang " + state.version + " · " + state.gateway + " · " + state.stream);

    var holder = $("health"), card;
    holder.hidden = false;
    holder.textContent = "";
    card = section(holder, T.health);
    var overall = { pass: "good", warn: "suspect", fail: "bad" }[state.status];
    fact(card, state.gateway, overall, T.status[state.status], [fill(T.since, { time: clock(state.startedAtMs) })]);
    var s = state.store;
    fact(card, T.store, s.degraded ? "bad" : s.damaged ? "suspect" : "good",
      s.degraded ? T.not_stored : s.damaged ? T.set_aside : T.stored,
      [fill(T.of, { a: size(s.bytes), b: size(s.cap) }), s.trouble]);
    var trust = { TRUSTED: ["good", T.clock_ok], ESTIMATED: ["suspect", T.clock_estimated] }[state.clock] || ["suspect", T.clock_bad];
    fact(card, T.clock, trust[0], trust[1], [clock(state.nowMs), state.timezone]);

    card = section(holder, T.uplinks);
    if (!state.uplinks.length) fact(card, "—", "missing", T.no_uplinks, []);
    state.uplinks.forEach(function (u) {
      var waits = u.waiting ? count(T.messages_waiting, u.waiting) : T.none_waiting;
      if (u.oldestWaitingMs) waits += ", " + fill(T.oldest, { age: age(gatewayNow() - u.oldestWaitingMs) });
      fact(card, u.name, u.connected ? "good" : "suspect", u.connected ? T.connected : T.disconnected, [
        u.connected ? "" : T.html === "id" ? u.reasonInd : u.reason, waits, u.sinceMs ? fill(T.since, { time: clock(u.sinceMs) }) : "",
        u.unheard ? fill(T.unheard, { n: number(u.unheard, 0) }) : "",
        u.refused + u.dropped ? fill(T.refused, { n: number(u.refused, 0), m: number(u.dropped, 0) }) : ""]);
    });

    card = section(holder, T.drivers);
    state.drivers.forEach(function (d) {
      var runs = d.state === "running";
      fact(card, d.name + (d.plugin && d.plugin !== d.name ? " (" + d.plugin + ")" : ""),
        !runs ? "bad" : d.delivers ? "good" : "suspect",
        runs && !d.delivers ? T.no_data : T.state[d.state] || d.state,
        [d.lastError ? (T.html === "id" ? d.lastErrorInd : d.lastError) + (d.lastErrorMs ? " (" + clock(d.lastErrorMs) + ")" : "") : "",
          d.restarts ? count(T.restarts, d.restarts) : ""].concat(d.devices.map(requests)));
    });

    if (state.notes.length) {
      card = section(holder, T.notes);
      state.notes.slice(0, 10).forEach(function (note) {
        var node = make("div", "fact");
        node.appendChild(make("div", "more", clock(note.timeMs) + " — " + happened(note)));
        card.appendChild(node);
      });
    }
  }
  function takeState(document_) {
    var changed = state && state.configHash !== document_.configHash;
    state = document_;
    stateAt = performance.now();
    lastData = state.nowMs;
    if (!chosen && TEXTS[state.language] && T !== TEXTS[state.language]) { T = TEXTS[state.language]; showAll(); }
    showState();
    showLink();
    if (changed) {
      get("/api/v1/sensors").then(takeSensors).catch(function () {});
      get("/api/v1/alarms").then(takeAlarms).catch(function () {});
    }
  }

  // ---- the line below the header ---------------------------------------------------------------
  function showLink() {
    var text = { wait: T.loading, ask: T.token_title, live: T.live, polling: T.polling,
      lost: lastData ? fill(T.lost, { time: clock(lastData) }) : T.lost_first }[link];
    var kind = link === "polling" ? "live" : link;
    if ($("line").className !== kind) $("line").className = kind;
    put($("link"), text);
    put($("time"), state ? clock(gatewayNow()) : "");
    document.body.className = link === "lost" ? "dead" : "";
  }
  function setLink(now) {
    if (link === now) return;
    link = now;
    showLink();
  }
  function showAll() {
    document.documentElement.lang = T.html;
    put($("language"), T.other);
    $("language").lang = T.html === "id" ? "en" : "id";
    put($("ask-title"), T.token_title);
    put($("ask-text"), T.token_text);
    put($("ask-label"), T.token_title);
    put($("ask-send"), T.token_send);
    if (order.length) showSensors();
    showKey();
    showState();
    showAlarms();
    showLink();
  }

  // ---- the gateway's answers -------------------------------------------------------------------
  function call(path, signal) {
    var headers = token ? { Authorization: "Bearer " + token } : {};
    return fetch(path, { headers: headers, signal: signal, cache: "no-store", credentials: "omit" }).then(function (response) {
      if (response.status === 401 || response.status === 429) ask(response.status);
      if (!response.ok) { var e = new Error("HTTP " + response.status); e.status = response.status; throw e; }
      return response;
    });
  }
  function get(path) { return call(path).then(function (response) { return response.json(); }); }
  function ask(status) {
    run++;
    put($("ask-wrong"), status === 429 ? T.token_wait : token ? T.token_wrong : "");
    setLink("ask");
    $("ask").hidden = false;
    $("token").focus();
  }

  function takeEvent(block) {
    var name = "message", data = "";
    block.split("\n").forEach(function (text) {
      if (text.indexOf("event:") === 0) name = text.slice(6).trim();
      else if (text.indexOf("data:") === 0) data += text.slice(5);
    });
    if (!data) return;
    var content = JSON.parse(data);
    lastData = gatewayNow();
    if (name === "state") takeState(content);
    else if (name === "reading") takeReading(content.sensor, content);
    else if (name === "alarm") { alarms[content.id] = content; showAlarms(); }
  }

  // Server-sent events read with fetch: EventSource cannot send the token.
  function follow(mine) {
    var abort = window.AbortController ? new AbortController() : null, watch = 0;
    var heard = function () {
      clearTimeout(watch);
      watch = setTimeout(function () { if (abort) abort.abort(); }, SILENCE);
    };
    heard();
    return call("/api/v1/stream", abort ? abort.signal : undefined).then(function (response) {
      var reader = response.body.getReader(), decoder = new TextDecoder(), rest = "";
      function next() {
        return reader.read().then(function (part) {
          if (mine !== run) { reader.cancel(); return null; }
          if (part.done) throw new Error("end of stream");
          heard();
          setLink("live");
          rest += decoder.decode(part.value, { stream: true });
          var blocks = rest.split("\n\n");
          rest = blocks.pop();
          blocks.forEach(takeEvent);
          return next();
        });
      }
      return next();
    }).then(function () { clearTimeout(watch); }, function (error) { clearTimeout(watch); throw error; });
  }
  function pause(ms) { return new Promise(function (done) { setTimeout(done, ms); }); }
  function poll() {
    return Promise.all([get("/api/v1/status"), get("/api/v1/sensors"), get("/api/v1/alarms")]).then(function (all) {
      takeState(all[0]);
      takeSensors(all[1]);
      takeAlarms(all[2]);
    });
  }
  // For ever: all at once first, then the stream; polling while the gateway has no stream for us.
  function connect() {
    var mine = ++run, wait = 1000;
    function again(error) {
      if (mine !== run) return null;
      var busy = error && error.status === 503;
      if (busy) { setLink("polling"); return pause(POLL).then(loop); }
      setLink("lost");
      wait = Math.min(wait * 2, 15000);
      return pause(wait).then(loop);
    }
    function loop() {
      if (mine !== run) return null;
      return poll().then(function () {
        if (mine !== run) return null;
        wait = 1000;
        return follow(mine);
      }).catch(again);
    }
    loop();
  }

  $("language").addEventListener("click", function () {
    lang = T.html === "id" ? "eng" : "ind";
    chosen = true;
    T = TEXTS[lang];
    store("localStorage", "lang", lang);
    showAll();
  });
  $("ask").addEventListener("submit", function (event) {
    event.preventDefault();
    token = $("token").value.trim();
    store("sessionStorage", "token", token);
    $("token").value = "";
    $("ask").hidden = true;
    connect();
  });
  // A phone in a pocket needs no stream, and there are only a few.
  document.addEventListener("visibilitychange", function () {
    if (!$("ask").hidden) return;
    if (document.hidden) run++; else connect();
  });
  setInterval(function () {
    Object.keys(rows).forEach(function (id) { showRow(rows[id]); });
    showSummary();
    showLink();
  }, 1000);
  showAll();
  connect();
}());
