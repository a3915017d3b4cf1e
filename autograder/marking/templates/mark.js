// Marking by keys, by mouse or with a screen reader. Every change is sent to the gradebook at once;
// what an answer has there is `card.standing`, and a change is refused if it is something else by now.
const page = document.body.dataset;
const most = Number(page.most);
const total = Number(page.answers);
const address = (what) => `${page.question}/${what}`;
const find = (id) => document.getElementById(id);
const saved = find("saved");
const rubric = find("items");
const dialog = find("keys");
const useKeys = find("use-keys");
const cards = [...document.querySelectorAll(".card")];
let items = JSON.parse(page.items);
let selected = null;
let marked = Number(page.marked);
let sending = Promise.resolve(); // one request after the other, so that each knows the last state

const plain = (number) => String(Math.round(number * 100) / 100);
const signed = (number) => (number < 0 ? `−${plain(-number)}` : `+${plain(number)}`);
const title = (card) => card.querySelector("h3").textContent;
const lines = (card) => card.comment.value.split("\n").filter((line) => line.trim());

for (const card of cards) {
  card.standing = JSON.parse(card.dataset.standing);
  card.onTheWay = 0; // requests that have no reply yet
  card.points = card.querySelector(".points");
  card.comment = card.querySelector("textarea");
  card.tag = card.querySelector(".tag");
  card.error = card.querySelector(".error");
  fill(card);
  card.addEventListener("focusin", () => select(card));
  card.addEventListener("click", () => select(card));
  card.points.addEventListener("change", () => save(card));
  card.comment.addEventListener("change", () => save(card));
  card.comment.addEventListener("input", () => showItems());
  card.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    goOn(card);
  });
  card.querySelector(".same")?.addEventListener("click", () => giveToGroup(card));
  for (const link of card.querySelectorAll(".written a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
}

// What scrolls can be reached by the keyboard.
for (const part of document.querySelectorAll(".prose, .beside")) {
  const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
  if (scrolls) part.tabIndex = 0;
}

// ---- what the page shows

function fill(card) {
  card.points.value = card.standing.typed;
  card.points.placeholder = card.standing.automatic === null ? "" : plain(card.standing.automatic);
  card.comment.value = card.standing.comment;
  show(card);
}

function show(card) {
  const { points, automatic, waits } = card.standing;
  const given = points ?? automatic;
  let text = "not marked";
  if (!waits) text = `${plain(given)} of ${plain(most)}${points === null ? ", automatically" : ""}`;
  else if (points !== null) text = `changed since it got ${plain(points)}: look again`;
  card.tag.textContent = text;
  card.classList.toggle("marked", !waits);
  showItems();
}

// The card, and those of its group for which nobody has given or typed anything.
function ownGroup(card) {
  const group = [...card.closest("section").querySelectorAll(".card")];
  const untouched = (other) => other.standing.waits && !other.points.value && !other.comment.value;
  return group.filter((other) => other === card || untouched(other));
}

function showProgress() {
  find("progress").textContent = `${marked} of ${total} marked`;
  find("meter").value = marked;
  find("next").disabled = marked === total;
}

function showItems() {
  const given = selected ? lines(selected) : [];
  let text = selected ? `For ${title(selected)}:` : "Select an answer.";
  if (!items.length) text = "Add what you give again and again; the keys 1 to 9 then give it to an answer.";
  find("target").textContent = text;
  items.forEach((item, place) => {
    const button = rubric.children[place]?.querySelector(".item");
    button?.setAttribute("aria-pressed", String(given.includes(item.comment)));
    if (button) button.disabled = !selected;
  });
}

function element(name, text, type) {
  const made = document.createElement(name);
  made.textContent = text;
  if (type) made.className = type;
  return made;
}

function listItems() {
  rubric.replaceChildren(
    ...items.map((item, place) => {
      const row = document.createElement("li");
      const button = element("button", "", "item");
      button.type = "button";
      if (place < 9) button.append(element("kbd", place + 1));
      button.append(element("b", item.points === null ? "" : signed(item.points)));
      button.append(element("span", item.comment));
      button.addEventListener("click", () => toggle(item));
      const remove = element("button", "×", "remove");
      remove.type = "button";
      remove.title = "Remove this item; what was given with it stays";
      remove.setAttribute("aria-label", `Remove the item “${item.comment}”`);
      remove.addEventListener("click", () => changeItems({ remove: item.comment }));
      row.append(button, remove);
      return row;
    }),
  );
  showItems();
}

function select(card) {
  if (selected === card) return;
  selected?.removeAttribute("aria-current");
  selected = card;
  card.setAttribute("aria-current", "true");
  const same = card.querySelector(".same");
  if (same) same.disabled = ownGroup(card).length === 1;
  showItems();
}

function moveTo(card) {
  if (!card) return;
  select(card);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "center" });
  // What is higher than the window should begin at its top.
  if (card.offsetHeight > innerHeight - 200) card.scrollIntoView({ block: "start" });
}

function step(by) {
  moveTo(selected ? cards[cards.indexOf(selected) + by] : cards[0]);
}

function nextUnmarked() {
  const after = selected ? cards.indexOf(selected) + 1 : 0;
  const order = [...cards.slice(after), ...cards.slice(0, after)];
  return order.find((card) => card.standing.waits && !(card.onTheWay && card.points.value.trim()));
}

// ---- marking

function toggle(item) {
  const card = selected;
  if (!card) return;
  const given = lines(card);
  const rest = given.filter((line) => line !== item.comment);
  if (rest.length === given.length) rest.push(item.comment);
  card.comment.value = rest.join("\n");
  if (item.points !== null) {
    const counted = items.filter((each) => each.points !== null && rest.includes(each.comment));
    const onlyTakesOff = counted.some((each) => each.points < 0) && counted.every((each) => each.points <= 0);
    const sum = counted.reduce((so_far, each) => so_far + each.points, onlyTakesOff ? most : 0);
    card.points.value = counted.length ? plain(Math.min(most, Math.max(0, sum))) : "";
  }
  showItems();
  save(card);
}

function set(card, points, comment = card.comment.value) {
  card.points.value = points;
  card.comment.value = comment;
  showItems();
  save(card);
}

function missesPoints(card) {
  const misses = !card.points.value.trim();
  if (misses) {
    card.error.textContent = "No points yet: type them, or go on with j.";
    card.points.focus();
  }
  return misses;
}

// Whoever types quickly must not mark the answer before: so the page goes on before the reply.
function goOn(card) {
  if (card.standing.automatic === null && missesPoints(card)) return;
  save(card, true);
  const points = Number(card.points.value.replace(",", "."));
  if (points >= 0 && points <= most) moveTo(nextUnmarked()); // or else the reply says what is wrong
}

function giveToGroup(card) {
  const group = ownGroup(card);
  const [points, comment] = [card.points.value, card.comment.value];
  if (missesPoints(card)) return;
  for (const other of group) {
    other.points.value = points;
    other.comment.value = comment;
  }
  send(group);
}

function changed(card) {
  const { typed, comment } = card.standing;
  return card.points.value.trim() !== typed || card.comment.value.trim() !== comment;
}

// `confirmed`: also if nothing was typed.
function save(card, confirmed = false) {
  send([card], confirmed);
}

function send(group, confirmed = group.length > 1) {
  for (const card of group) card.onTheWay += 1;
  sending = sending.then(async () => {
    const some = group.filter((card) => changed(card) || (confirmed && card.standing.waits));
    if (some.length) await sendNow(some);
    for (const card of group) card.onTheWay -= 1;
  });
}

async function sendNow(some) {
  saved.textContent = "Saving …";
  const marks = some.map((card) => ({
    key: card.dataset.key,
    answer: card.dataset.answer,
    before: { points: card.standing.points, comment: card.standing.comment },
    points: card.points.value,
    comment: card.comment.value,
  }));
  const typed = marks.map(({ points, comment }) => points + "\n" + comment);
  const answer = await post("marks", { marks });
  for (const [place, card] of some.entries()) {
    card.error.textContent = "";
    card.standing = answer.standings?.[card.dataset.key] ?? card.standing;
    // What was typed while the request was under way, or is refused, stays.
    const same = typed[place] === card.points.value + "\n" + card.comment.value;
    if (same && !answer.error) fill(card);
    else show(card);
  }
  if (answer.marked !== undefined) marked = answer.marked;
  showProgress();
  const told = some.includes(selected) ? selected : some[0];
  told.error.textContent = answer.error ?? "";
  saved.textContent = answer.error ? `Not saved: ${title(told)}.` : "Saved.";
  if (marked === total && !answer.error) saved.textContent = "Saved. All answers are marked.";
}

async function changeItems(change) {
  const answer = await post("items", change);
  const error = find("new-item").querySelector(".error");
  error.textContent = answer.error ?? "";
  if (answer.items) {
    items = answer.items;
    listItems();
  }
  return !answer.error;
}

async function post(what, body) {
  try {
    const response = await fetch(address(what), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { error: "The server does not answer. Start `autograder mark` again; keep this page open until you have copied what is not saved." };
  }
}

// ---- keys and buttons

const actions = {
  j: () => step(1),
  k: () => step(-1),
  n: () => moveTo(nextUnmarked()),
  f: () => selected && set(selected, plain(most)),
  0: () => selected && set(selected, "0"),
  x: () => selected && set(selected, "", ""),
  g: () => selected?.querySelector(".same")?.click(),
  p: () => selected?.points.select(),
  c: () => selected?.comment.focus(),
  a: () => find("new-item").elements.points.focus(),
  "?": () => dialog.showModal(),
};

addEventListener("keydown", (event) => {
  if (dialog.open) return;
  const within = event.target.closest("input, textarea, button, a, summary");
  const typing = within?.matches("input, textarea");
  if (event.key === "Escape" && typing) {
    event.preventDefault();
    (within.closest(".card") ?? selected ?? document.body).focus({ preventScroll: true });
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && within?.closest(".card")) {
    event.preventDefault();
    goOn(within.closest(".card"));
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !useKeys.checked) return;
  if (event.key === "Enter" && !within && selected) {
    event.preventDefault();
    goOn(selected);
  } else if (/^[1-9]$/.test(event.key) && items[event.key - 1]) {
    event.preventDefault();
    toggle(items[event.key - 1]);
  } else if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
});

find("next").addEventListener("click", () => moveTo(nextUnmarked()));
find("help").addEventListener("click", () => dialog.showModal());
find("new-item").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { points, comment } = form.elements;
  if (await changeItems({ points: points.value, comment: comment.value })) {
    form.reset();
    selected?.focus({ preventScroll: true });
  }
});
find("new-item").elements.comment.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // an item is one line
  event.currentTarget.form.requestSubmit();
});
useKeys.checked = localStorage.getItem("single keys") !== "off";
useKeys.addEventListener("change", () => {
  localStorage.setItem("single keys", useKeys.checked ? "on" : "off");
});
addEventListener("beforeunload", (event) => {
  if (cards.some(changed)) event.preventDefault();
});

listItems();
showProgress();
moveTo(nextUnmarked() ?? cards[0]);
