// The web chat: windows, words on their way out, and what comes in live. Everything shown is set as text.

const SAMPLE = "厨房水管漏水了，麻烦派人来看看";
const FIRST = 50, MOST = 500; // messages read at once; after 「看更早的消息」
const QUIET = 45_000; // ms: the server says something every 15 s; after three times that it is gone
const PATIENCE = 25_000; // ms for one request
const BIG = 2048; // pixels: a longer photo is made smaller before it is sent, and loses its place and time

const $ = (selector, inside = document) => inside.querySelector(selector);
const phone = matchMedia("(max-width: 700px)");
const chats = new Map();
let people = new Map();
let me = null;
let counter = 0;

// ---- small things

const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const wait = (tries) => Math.min(30_000, 500 * 2 ** tries) * (0.75 + Math.random() / 2);

// What the browser remembers between visits; where it will not, we remember it until the page is closed.
const memory = new Map();
const kept = {
  get(key) {
    try { return JSON.parse(localStorage.getItem(`linli.${key}`)) ?? memory.get(key); } catch { return memory.get(key); }
  },
  set(key, value) {
    memory.set(key, value);
    try { localStorage.setItem(`linli.${key}`, JSON.stringify(value)); } catch { /* full, or a private window */ }
  },
  drop(key) {
    memory.delete(key);
    try { localStorage.removeItem(`linli.${key}`); } catch { /* a private window */ }
  },
  keys() {
    try { return Object.keys(localStorage).map((key) => key.replace(/^linli\./, "")); } catch { return []; }
  },
};

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function face(element, account, name) {
  const hash = [...account].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 3600, 7);
  element.style.setProperty("--hue", String(hash / 10));
  element.textContent = [...name].slice(-2).join("") || "我"; // 王芳, 老李, 主任, 奶奶
}

async function ask(path, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), options.patience ?? PATIENCE);
  try {
    const response = await fetch(path, { ...options, signal: stop.signal });
    const body = await response.text();
    return { status: response.status, body, json: () => JSON.parse(body) };
  } finally {
    clearTimeout(timer);
  }
}

// Addresses in what the assistant says become links; nothing else does.
function fill(element, text, links) {
  element.replaceChildren();
  let from = 0;
  for (const found of links ? text.matchAll(/https?:\/\/[^\s<>"'，。；！？、（）【】「」]+/g) : []) {
    const link = document.createElement("a");
    link.href = link.textContent = found[0];
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    element.append(text.slice(from, found.index), link);
    from = found.index + found[0].length;
  }
  element.append(text.slice(from));
}

// ---- one chat

class Chat {
  constructor({ chat, name, note, members = null }) {
    Object.assign(this, { chat, name, note, members });
    this.lines = []; // as shown, oldest first; those on their way out have no `at`
    this.items = new Map(); // line id -> its element
    this.queue = []; // what waits to be sent, in order
    this.files = []; // photos chosen and not yet sent
    this.limit = FIRST;
    this.unread = 0;
    this.tries = 0;
    this.read = false;
    this.build();
  }

  get speaker() { return this.members ? this.select.value : this.chat; }
  get shown() { return this.element.classList.contains("on"); }
  get atEnd() { return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 60; }

  build() {
    const element = (this.element = copy("chat"));
    element.dataset.chat = this.chat;
    element.setAttribute("aria-label", `${this.name} 的对话`);
    $("h2", element).textContent = this.name;
    $(".note", element).textContent = this.note;
    $(".note", element).title = this.note;
    face($(".avatar", element), this.chat, this.members ? "群" : this.name);
    this.log = $(".log", element);
    this.log.setAttribute("aria-label", `${this.name} 的消息`);
    this.scroll = $(".scroll", element);
    this.newer = $(".newer", element);
    this.form = $("form", element);
    this.box = $("textarea", element);
    this.select = $(".speaker", element);
    this.box.setAttribute("aria-label", this.members ? `在${this.name}里说` : `以${this.name}的身份说`);
    this.box.placeholder = this.members ? "在群里说一句" : "说一句话，按回车发送";
    $(".photo", element).setAttribute("aria-label", "发照片");
    $(".fold", element).setAttribute("aria-label", `收起 ${this.name} 的对话`);
    $(".dismiss", element).setAttribute("aria-label", "知道了");
    if (this.members) this.buildGroup();
    this.listen();
    this.buildTab();
    this.idle();
  }

  buildGroup() {
    $(".as", this.element).hidden = false;
    for (const member of this.members) this.select.append(new Option(member.name, member.account));
    this.select.addEventListener("change", () => { this.draw(); this.toEnd(); });
    $(".mention", this.element).addEventListener("click", () => {
      if (!this.box.value.includes("@邻里")) this.box.value = `@邻里 ${this.box.value}`;
      this.idle();
      this.box.focus();
    });
  }

  buildTab() {
    this.tab = copy("tab");
    this.tab.dataset.chat = this.chat;
    $(".who", this.tab).textContent = this.name;
    face($(".avatar", this.tab), this.chat, this.members ? "群" : this.name);
    this.tab.addEventListener("click", () => (phone.matches ? turnTo(this) : toggle(this)));
  }

  listen() {
    const file = $(".file", this.element);
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.box.addEventListener("input", () => this.idle());
    this.box.addEventListener("keydown", (event) => {
      const composing = event.isComposing || event.keyCode === 229; // Enter that picks a Chinese word
      if (event.key === "Enter" && !event.shiftKey && !composing) { event.preventDefault(); this.submit(); }
    });
    this.box.addEventListener("paste", (event) => this.choose(event.clipboardData?.files ?? []));
    $(".photo", this.element).addEventListener("click", () => file.click());
    file.addEventListener("change", () => { this.choose(file.files); file.value = ""; });
    $(".fold", this.element).addEventListener("click", () => toggle(this));
    $(".earlier", this.element).addEventListener("click", () => { this.limit = MOST; this.load().catch(() => hangUp()); });
    this.newer.addEventListener("click", () => this.toEnd());
    this.scroll.addEventListener("scroll", () => { if (this.atEnd) this.newer.hidden = true; }, { passive: true });
    new ResizeObserver(() => { if (this.stay) this.toEnd(); }).observe(this.log);
    new ResizeObserver(() => { if (this.stay) this.toEnd(); }).observe(this.scroll);
    this.scroll.addEventListener("scroll", () => { this.stay = this.atEnd; }, { passive: true });
    this.stay = true;
  }

  // -- what was said

  async load() {
    const mark = counter;
    const answer = await ask(`/api/chat/${encodeURIComponent(this.chat)}/messages?limit=${this.limit}`);
    if (answer.status !== 200) throw new Error(String(answer.status));
    const { messages } = answer.json();
    const ids = new Set(messages.map((line) => line.id));
    for (const item of this.queue.filter((one) => ids.has(one.line.id))) this.done(item);
    const known = new Set(this.lines.map((line) => line.id));
    const later = this.lines.filter((line) => !ids.has(line.id) && (line.status || line.order > mark));
    if (this.read) this.count(messages.filter((line) => !known.has(line.id)));
    this.lines = messages;
    for (const line of later) this.insert(line);
    const first = !this.read;
    this.read = true;
    this.log.setAttribute("aria-busy", "true");
    $(".earlier", this.element).hidden = messages.length < this.limit || this.limit === MOST;
    this.draw(first);
    this.log.removeAttribute("aria-busy");
    if (first) this.toEnd();
  }

  hear(line) {
    const at = this.lines.findIndex((one) => one.id === line.id);
    const last = this.lines.findLast((one) => one.date);
    line.order = ++counter;
    if (at >= 0) this.lines[at] = line;
    else this.insert(line);
    const follow = this.stay || (line.mine && line.sender === this.speaker);
    this.draw();
    if (at >= 0) return;
    this.count([line]);
    if (follow) this.toEnd();
    else this.newer.hidden = false;
    if (last && last.date !== line.date) this.load().catch(() => hangUp()); // 今天 has become 昨天
  }

  insert(line) {
    let place = this.lines.length;
    while (line.at && place > 0 && this.lines[place - 1].at > line.at) place -= 1;
    this.lines.splice(place, 0, line);
  }

  count(lines) {
    if (!this.shown) this.unread += lines.filter((line) => !line.mine || this.members).length;
    badge(this);
  }

  toEnd() {
    this.stay = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.newer.hidden = true;
  }

  // -- drawing: elements are kept by id, so that nothing flickers and nothing is read out twice

  draw(quietly = false) {
    const wanted = [];
    const used = new Map();
    let before = null;
    let date = null;
    this.lines.forEach((line, place) => {
      if (line.date && line.date !== date) {
        wanted.push(this.day(line, used));
        date = line.date;
      }
      const old = this.items.get(line.id);
      const item = old?.words === line.text ? old : this.item(line, quietly);
      this.dress(item, line, before, this.lines[place + 1]);
      used.set(line.id, item);
      wanted.push(item);
      before = line;
    });
    for (const [id, item] of this.items) if (used.get(id) !== item) item.remove();
    this.items = used;
    wanted.forEach((item, place) => {
      if (this.log.children[place] !== item) this.log.insertBefore(item, this.log.children[place] ?? null);
    });
    const empty = $(".empty", this.element);
    empty.hidden = this.lines.length > 0 || !this.read;
    empty.textContent = this.members ? "群里还没有人说话。" : "还没有消息，有事说一句就行。";
  }

  day(line, used) {
    const id = `day-${line.date}`;
    const item = this.items.get(id) ?? document.createElement("li");
    item.className = "day";
    item.textContent = line.day;
    used.set(id, item);
    return item;
  }

  item(line, quietly) {
    const item = copy("line");
    item.dataset.id = line.id;
    item.words = line.text;
    if (!quietly) item.classList.add("new");
    fill($(".text", item), line.text, !line.mine);
    const avatar = $(".avatar", item);
    if (line.mine) face(avatar, line.sender, people.get(line.sender)?.name ?? line.sender_name);
    else avatar.classList.add("house");
    this.addPhotos($(".photos", item), line.photos);
    this.addChoices($(".choices", item), line.buttons);
    $(".again", item).addEventListener("click", () => this.again(line.id));
    return item;
  }

  dress(item, line, before, after) {
    const mine = line.mine && line.sender === this.speaker;
    const near = (one, other) =>
      one && other && one.mine === other.mine && one.sender === other.sender &&
      (!one.at || !other.at || Math.abs(Date.parse(one.at) - Date.parse(other.at)) < 180_000);
    item.classList.toggle("me", mine);
    item.classList.toggle("follows", Boolean(near(before, line)) && (!line.date || !before.date || before.date === line.date));
    item.classList.toggle("goes-on", Boolean(near(line, after)) && line.time === after.time && !line.status);
    item.classList.toggle("waiting", line.status === "waiting");
    item.classList.toggle("failed", line.status === "failed");
    const name = line.mine ? line.sender_name || "我" : "邻里";
    const from = $(".from", item);
    from.textContent = mine ? "我" : name;
    from.classList.toggle("heard", mine || !this.members); // where the side says it, only a screen reader needs it
    const time = $("time", item);
    time.textContent = line.time ?? "";
    time.dateTime = line.at ?? "";
    $(".state", item).textContent = line.state ?? "";
    $(".again", item).hidden = line.status !== "failed";
  }

  addPhotos(place, photos) {
    place.hidden = photos.length === 0;
    for (const photo of photos) {
      const link = document.createElement("a");
      const picture = document.createElement("img");
      link.href = picture.src = photo.src;
      link.target = "_blank";
      link.rel = "noopener";
      picture.alt = "照片";
      link.append(picture);
      place.append(link);
    }
  }

  addChoices(place, buttons) {
    place.hidden = buttons.length === 0;
    for (const button of buttons) {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.className = "choice";
      choice.textContent = button.label;
      choice.addEventListener("click", () => {
        choice.classList.add("chosen");
        for (const one of place.children) one.disabled = true; // a second tap of a trembling finger
        setTimeout(() => {
          choice.classList.remove("chosen");
          for (const one of place.children) one.disabled = false;
        }, 1500);
        this.say(button.says, [], true);
      });
      place.append(choice);
    }
  }

  // -- saying something

  idle() {
    this.form.classList.toggle("idle", !this.box.value.trim() && this.files.length === 0);
    this.box.style.height = "40px";
    if (this.box.value) this.box.style.height = `${Math.min(140, this.box.scrollHeight + 2)}px`;
  }

  submit() {
    if (!this.box.value.trim() && this.files.length === 0) return;
    this.say(this.box.value.trim(), this.files.splice(0), false);
    this.box.value = "";
    this.drawTray();
    this.idle();
    hideHint();
  }

  say(text, files, tap) {
    const item = { id: newId(), chat: this.chat, as: this.speaker, text, tap, files, paths: [] };
    if (files.length === 0) kept.set(`out.${item.id}`, { ...item, order: Date.now() });
    this.enqueue(item);
    this.toEnd();
    this.drain();
  }

  enqueue(item) {
    item.line = {
      id: `in-${item.as}:${item.id}`, chat: this.chat, mine: true, sender: item.as,
      sender_name: people.get(item.as)?.name ?? "", text: item.text, buttons: [],
      photos: item.files.map((file) => ({ src: file.url })), status: "waiting", state: "",
    };
    if (this.lines.some((line) => line.id === item.line.id)) { kept.drop(`out.${item.id}`); return; }
    this.queue.push(item);
    this.lines.push(item.line);
    this.draw();
  }

  async drain() {
    if (this.sending || this.queue.length === 0) return;
    clearTimeout(this.timer);
    this.sending = true;
    const item = this.queue[0];
    const slow = setTimeout(() => this.state(item, "正在发送…"), 800);
    let outcome;
    try {
      outcome = await this.post(item);
    } catch {
      outcome = { again: "网络通了就发" };
    }
    clearTimeout(slow);
    this.sending = false;
    if (outcome.again) {
      for (const one of this.queue) this.state(one, outcome.again);
      this.timer = setTimeout(() => this.drain(), wait(this.tries++));
      return;
    }
    this.tries = 0;
    if (outcome.failed) this.fail(item, outcome.failed);
    else this.done(item);
    this.drain();
  }

  async post(item) {
    const path = `/api/chat/${encodeURIComponent(this.chat)}`;
    while (item.paths.length < item.files.length) {
      const body = await item.files[item.paths.length].body;
      const answer = await ask(`${path}/photos`, { method: "POST", body, patience: 120_000 });
      if (answer.status !== 200) return verdict(answer);
      item.paths.push(answer.json().path);
    }
    const message = { id: item.id, as: item.as, text: item.text };
    if (item.tap) message.tap = true;
    if (item.paths.length) message.photos = item.paths;
    const headers = { "Content-Type": "application/json" };
    return verdict(await ask(`${path}/messages`, { method: "POST", headers, body: JSON.stringify(message) }));
  }

  state(item, state) {
    item.line.state = state;
    this.draw();
  }

  done(item) {
    kept.drop(`out.${item.id}`);
    this.queue = this.queue.filter((one) => one !== item);
    item.line.status = item.line.state = "";
    item.line.order = ++counter;
    this.draw();
  }

  fail(item, why) {
    kept.drop(`out.${item.id}`);
    this.queue = this.queue.filter((one) => one !== item);
    item.line.status = "failed";
    item.line.state = `没发出去：${why}`;
    this.draw();
  }

  again(id) {
    const line = this.lines.find((one) => one.id === id);
    this.lines = this.lines.filter((one) => one.id !== id);
    this.draw();
    this.box.value = line.text;
    this.idle();
    this.box.focus();
  }

  // -- photos

  choose(files) {
    for (const file of [...files].filter((one) => one.type.startsWith("image/")).slice(0, 9 - this.files.length)) {
      this.files.push({ url: URL.createObjectURL(file), body: smaller(file) });
    }
    this.drawTray();
    this.idle();
    this.box.focus();
  }

  drawTray() {
    const tray = $(".tray", this.element);
    tray.hidden = this.files.length === 0;
    tray.replaceChildren(...this.files.map((file) => {
      const item = document.createElement("li");
      const picture = document.createElement("img");
      const remove = document.createElement("button");
      picture.src = file.url;
      picture.alt = "要发的照片";
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", "不发这张");
      remove.addEventListener("click", () => {
        this.files = this.files.filter((one) => one !== file);
        this.drawTray();
        this.idle();
      });
      item.append(picture, remove);
      return item;
    }));
  }
}

function verdict(answer) {
  if (answer.status === 200) return {};
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return { again: "稍后自动重发" };
  return { failed: answer.body.split("\n")[0].slice(0, 80) };
}

async function smaller(file) {
  if (file.type === "image/gif") return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, BIG / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return (await new Promise((ready) => canvas.toBlob(ready, "image/jpeg", 0.86))) ?? file;
  } catch {
    return file; // not a picture this browser can draw: the server decides
  }
}

// ---- which chats are on the table

function badge(chat) {
  const mark = $(".unread", chat.tab);
  if (chat.shown) chat.unread = 0;
  mark.hidden = chat.unread === 0;
  mark.textContent = chat.unread > 99 ? "99+" : String(chat.unread);
  chat.tab.setAttribute("aria-label", chat.unread ? `${chat.name}，${chat.unread} 条新消息` : chat.name);
}

function arrange() {
  const opened = new Set(kept.get("open") ?? []);
  const current = chats.get(kept.get("current")) ?? chats.values().next().value;
  for (const chat of chats.values()) {
    const was = chat.shown;
    const shown = phone.matches ? chat === current : opened.has(chat.chat);
    chat.element.classList.toggle("on", shown);
    chat.tab.classList.toggle("on", shown);
    chat.tab.setAttribute("aria-pressed", String(shown));
    if (shown && !was) chat.toEnd();
    badge(chat);
  }
  if (phone.matches) current?.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function turnTo(chat) {
  kept.set("current", chat.chat);
  arrange();
}

function toggle(chat) {
  const opened = new Set(kept.get("open") ?? []);
  const opens = !opened.has(chat.chat);
  if (opens) opened.add(chat.chat);
  else opened.delete(chat.chat);
  kept.set("open", [...opened]);
  arrange();
  if (opens) { chat.element.scrollIntoView({ inline: "nearest", block: "nearest" }); chat.box.focus({ preventScroll: true }); }
  else chat.tab.focus();
}

// ---- live

let nudge = () => {};
const pause = (time) => new Promise((ready) => {
  const timer = setTimeout(ready, time);
  nudge = () => { clearTimeout(timer); ready(); };
});

function link(state, words) {
  const mark = $(".link");
  if (mark.dataset.state === state) return;
  mark.dataset.state = state;
  mark.textContent = words;
}

async function live() {
  const path = `/api/events?chats=${[...chats.keys()].map(encodeURIComponent).join(",")}`;
  for (let tries = 0; ; tries += 1) {
    const began = performance.now();
    try {
      await stream(path);
    } catch { /* the line broke; what matters is that we come back */ }
    link("away", "正在重连…");
    if (performance.now() - began > 10_000) tries = 0;
    await pause(wait(tries));
  }
}

async function stream(path) {
  const stop = new AbortController();
  let watch;
  const alive = () => { clearTimeout(watch); watch = setTimeout(() => stop.abort(), QUIET); };
  hangUp = () => stop.abort();
  try {
    alive();
    const response = await fetch(path, { signal: stop.signal, cache: "no-store" });
    if (response.status === 403) await recognise();
    if (!response.ok) throw new Error(String(response.status));
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    link("open", "已连接");
    catchUp();
    for (let rest = ""; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = events.pop();
      for (const event of events) hear(event);
    }
  } finally {
    clearTimeout(watch);
    stop.abort();
  }
}
let hangUp = () => {};

function hear(event) {
  const data = event.split("\n").find((line) => line.startsWith("data: "));
  if (!data) return;
  const line = JSON.parse(data.slice(6));
  chats.get(line.chat)?.hear(line);
}

// After every connection: what was said meanwhile, then what we still have to say.
function catchUp() {
  for (const chat of chats.values()) {
    chat.load().catch(() => hangUp());
    chat.tries = 0;
    chat.drain();
  }
}

// The cookie was lost or the service began anew: whoever we are now has other chats.
async function recognise() {
  const answer = await ask("/api/chat");
  if (answer.status === 200 && answer.json().me?.account !== me?.account) location.reload();
}

// ---- the first time

function showHint(chat, words) {
  if (kept.get("welcomed")) return;
  const hint = $(".hint", chat.element);
  $("p", hint).textContent = words;
  $(".sample", hint).textContent = SAMPLE;
  $(".sample", hint).addEventListener("click", () => {
    chat.box.value = SAMPLE;
    chat.idle();
    chat.box.focus();
  });
  $(".dismiss", hint).addEventListener("click", hideHint);
  hint.hidden = false;
}

function hideHint() {
  kept.set("welcomed", true);
  for (const hint of document.querySelectorAll(".hint")) hint.hidden = true;
}

// ---- beginning

async function begin() {
  let house;
  for (let tries = 0; !house; tries += 1) {
    try {
      const answer = await ask("/api/chat");
      if (answer.status === 200) house = answer.json();
    } catch { /* not yet */ }
    if (!house) { link("away", "正在重连…"); await pause(wait(tries)); }
  }
  me = house.me;
  people = new Map(house.persons.map((person) => [person.account, person]));
  document.title = $(".top h1").textContent = house.title;
  if (house.demo) openDemo(house);
  else openOwn();
  for (const chat of chats.values()) {
    $(".chats").append(chat.element);
    $(".tabs").append(chat.tab);
  }
  arrange();
  phone.addEventListener("change", arrange);
  restore();
  live();
}

function openDemo(house) {
  $(".about").textContent = "几位邻居的手机摆在一起：在一边说一句，看看另一边谁收到了";
  $(".tabs").hidden = false;
  const persons = house.persons.map(({ account, name, note }) => ({ chat: account, name, note }));
  const groups = house.groups.map((group) => ({ ...group, note: `${group.members.length} 人 · 群里叫我请加 @邻里` }));
  const atFirst = [...persons.slice(0, 2), ...groups.slice(0, 1)];
  for (const one of new Set([...atFirst, ...persons, ...groups])) chats.set(one.chat, new Chat(one));
  if (!kept.get("open")?.some((chat) => chats.has(chat))) kept.set("open", atFirst.map((one) => one.chat));
  const [first, second] = house.persons;
  const there = second ? `，再看看${second.name}那边收到了什么` : "";
  if (first) showHint(chats.get(first.account), `像发微信一样，说一句话就行。点一下试试${there}：`);
}

function openOwn() {
  document.body.classList.add("solo");
  const note = "这是您和邻里的单独对话。发邀请码，或像「3栋2单元501 王芳」这样发房号和姓名，就能绑定住址。";
  const chat = new Chat({ chat: me.account, name: "邻里", note });
  $(".head .avatar", chat.element).classList.add("house");
  $(".head .avatar", chat.element).textContent = "";
  chat.box.setAttribute("aria-label", "说一句话");
  chat.element.setAttribute("aria-label", "和邻里的对话");
  chats.set(me.account, chat);
  kept.set("open", [me.account]);
  showHint(chat, "有事说一句话就行，比如：");
}

// What was typed and not sent before the page was closed. A sample person may since have left the demo.
function restore() {
  const items = kept.keys().filter((key) => key.startsWith("out.")).map((key) => kept.get(key)).filter(Boolean);
  for (const item of items.sort((one, other) => one.order - other.order)) {
    const chat = chats.get(item.chat);
    if (chat) chat.enqueue({ ...item, files: [], paths: [] });
    else kept.drop(`out.${item.id}`);
  }
}

addEventListener("online", () => nudge());
addEventListener("offline", () => hangUp());
document.addEventListener("visibilitychange", () => { if (!document.hidden) nudge(); });
begin();
