"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const points = new Uint16Array(bytes(data.points).buffer);
const groups = data.groups.filter(group => group.names.length > 1 || group.name === "genre")
  .map(group => ({ ...group, of: bytes(group.of), shown: group.names.map(() => true) }));
const n = data.songs.length;
const words = data.songs.map(song => song.slice(0, 3).join(" ").toLowerCase());
const canvas = $("map"), pen = canvas.getContext("2d");
let group = groups[0], found = new Uint8Array(n).fill(1), chosen = new Uint8Array(n), anyChosen = false;
let view = { x: 0.5, y: 0.5, scale: 1 }, playing = -1, hover = -1, path = null, lassoing = false, drag = null, asked = false;

// From a song's place, 0..1, to pixels of the canvas, and back.
const size = () => Math.min(canvas.clientWidth, canvas.clientHeight) * 0.94 * view.scale;
const toX = x => canvas.clientWidth / 2 + (x - view.x) * size();
const toY = y => canvas.clientHeight / 2 - (y - view.y) * size();
const fromX = px => view.x + (px - canvas.clientWidth / 2) / size();
const fromY = py => view.y - (py - canvas.clientHeight / 2) / size();
const X = i => points[2 * i] / 65535, Y = i => points[2 * i + 1] / 65535;
const visible = i => found[i] && group.shown[group.of[i]];

function draw() {
  asked = false;
  const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  const r = Math.max(1.3, Math.min(7, (n > 3000 ? 1.5 : n > 500 ? 2.5 : 4) * Math.sqrt(view.scale)));
  const plain = r < 2.2; // squares cost a fifth of discs
  // What the search leaves out stays as a shadow, so that the map keeps its shape.
  for (const pass of ["shadow", "songs"]) {
    group.names.forEach((_, g) => {
      pen.beginPath();
      for (let i = 0; i < n; i++) {
        if (group.of[i] !== g || (pass === "songs") !== Boolean(visible(i))) continue;
        const x = toX(X(i)), y = toY(Y(i));
        if (x < -r || y < -r || x > w + r || y > h + r) continue;
        if (plain) pen.rect(x - r, y - r, 2 * r, 2 * r);
        else { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 7); }
      }
      pen.globalAlpha = pass === "shadow" ? 0.08 : anyChosen ? 0.35 : 0.85;
      pen.fillStyle = group.colours[g];
      pen.fill();
    });
  }
  pen.globalAlpha = 1;
  const ink = getComputedStyle(document.body).color;
  if (anyChosen) {
    for (let i = 0; i < n; i++) if (chosen[i]) {
      pen.fillStyle = group.colours[group.of[i]];
      pen.beginPath(); pen.arc(toX(X(i)), toY(Y(i)), r + 0.8, 0, 7); pen.fill();
    }
  }
  pen.strokeStyle = ink;
  for (const [i, width] of [[hover, 1.5], [playing, 3]]) if (i >= 0) {
    pen.lineWidth = width;
    pen.beginPath(); pen.arc(toX(X(i)), toY(Y(i)), r + 4, 0, 7); pen.stroke();
  }
  if (path) {
    pen.lineWidth = 1.5; pen.setLineDash([5, 4]);
    pen.beginPath(); path.forEach(([x, y]) => pen.lineTo(toX(x), toY(y))); pen.closePath(); pen.stroke();
    pen.setLineDash([]);
  }
}
const redraw = () => { if (!asked) { asked = true; requestAnimationFrame(draw); } };

function nearest(px, py) {
  let best = -1, least = 14 * 14;
  for (let i = 0; i < n; i++) if (visible(i)) {
    const dx = toX(X(i)) - px, dy = toY(Y(i)) - py, d = dx * dx + dy * dy;
    if (d < least) { least = d; best = i; }
  }
  return best;
}
const clock = s => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
const named = i => [data.songs[i][1], data.songs[i][2]].filter(Boolean).join(" – ");
// A path becomes an address part by part: a name may hold "#", "?" or "%".
const address = path => "file://" + path.replace(/\\/g, "/").replace(/^(?!\/)/, "/").split("/").map(encodeURIComponent).join("/").replace("%3A", ":");

function play(i) {
  playing = i; $("trouble").hidden = true;
  $("song").src = address(data.songs[i][0]);
  $("song").play().catch(() => {});
  $("now").textContent = `${named(i)} (${groups.map(g => g.names[g.of[i]]).join(", ")})`;
  redraw();
}
$("song").addEventListener("error", () => {
  if (playing < 0) return;
  $("trouble").textContent = `This browser cannot play ${data.songs[playing][0]}.`; $("trouble").hidden = false;
});

function tell() {
  const shown = anyChosen ? chosen.reduce((a, b) => a + b, 0) : [...found.keys()].filter(visible).length;
  $("count").textContent = `${shown.toLocaleString()} of ${n.toLocaleString()} songs${anyChosen ? " chosen" : ""}`;
  $("save").disabled = !shown || (!anyChosen && shown === n);
}
function legend() {
  const counts = new Array(group.names.length).fill(0);
  for (let i = 0; i < n; i++) counts[group.of[i]]++;
  $("legend").replaceChildren(...group.names.map((name, g) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button"; button.setAttribute("aria-pressed", group.shown[g]);
    const dot = document.createElement("i"), count = document.createElement("span");
    dot.style.setProperty("--c", group.colours[g]); count.textContent = ` ${counts[g].toLocaleString()}`;
    button.append(dot, name, count);
    button.addEventListener("click", () => { group.shown[g] = !group.shown[g]; legend(); tell(); redraw(); });
    item.append(button);
    return item;
  }));
}
function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const x = fromX(px), y = fromY(py);
  view.scale = Math.max(0.5, Math.min(200, view.scale * factor));
  view.x += x - fromX(px); view.y += y - fromY(py);
  redraw();
}
function inside(x, y) { // even-odd rule
  let odd = false;
  for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
    const [ax, ay] = path[a], [bx, by] = path[b];
    if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

const held = new Map();
canvas.addEventListener("pointerdown", event => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, event);
  if (lassoing || event.shiftKey) { path = [[fromX(event.offsetX), fromY(event.offsetY)]]; }
  drag = { x: event.offsetX, y: event.offsetY, moved: false };
});
canvas.addEventListener("pointermove", event => {
  const before = held.get(event.pointerId);
  if (!before) {
    hover = nearest(event.offsetX, event.offsetY);
    const tip = $("tip"); tip.hidden = hover < 0;
    if (hover >= 0) {
      const kind = document.createElement("span");
      kind.textContent = `${groups.map(g => g.names[g.of[hover]]).join(", ")} · ${clock(data.songs[hover][3])}`;
      tip.replaceChildren(named(hover), document.createElement("br"), kind);
      tip.style.left = `${Math.max(0, Math.min(event.offsetX + 14, canvas.clientWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${Math.max(0, Math.min(event.offsetY + 14, canvas.clientHeight - tip.offsetHeight - 4))}px`;
    }
    return redraw();
  }
  if (Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y) > 4) drag.moved = true;
  if (path) path.push([fromX(event.offsetX), fromY(event.offsetY)]);
  else if (held.size === 2) { // two fingers
    const other = [...held.values()].find(e => e.pointerId !== event.pointerId);
    const spread = e => Math.hypot(e.offsetX - other.offsetX, e.offsetY - other.offsetY);
    zoom(spread(event) / Math.max(1, spread(before)), other.offsetX, other.offsetY);
  } else {
    view.x -= (event.offsetX - before.offsetX) / size(); view.y += (event.offsetY - before.offsetY) / size();
  }
  held.set(event.pointerId, event);
  redraw();
});
canvas.addEventListener("pointerup", event => {
  held.delete(event.pointerId);
  if (path && path.length > 2) {
    for (let i = 0; i < n; i++) chosen[i] = visible(i) && inside(X(i), Y(i)) ? 1 : 0;
    anyChosen = chosen.some(Boolean);
  } else if (drag && !drag.moved) {
    const i = nearest(event.offsetX, event.offsetY);
    if (i >= 0) play(i); else { chosen.fill(0); anyChosen = false; }
  }
  path = null; tell(); redraw();
});
canvas.addEventListener("pointercancel", event => { held.delete(event.pointerId); path = null; redraw(); });
canvas.addEventListener("pointerleave", () => { hover = -1; $("tip").hidden = true; redraw(); });
canvas.addEventListener("wheel", event => {
  event.preventDefault(); zoom(Math.exp(-event.deltaY * 0.0016), event.offsetX, event.offsetY);
}, { passive: false });
canvas.addEventListener("keydown", event => {
  const step = 60 / size();
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (moves[event.key]) { view.x += moves[event.key][0]; view.y += moves[event.key][1]; redraw(); event.preventDefault(); }
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
});
$("search").addEventListener("input", () => {
  const asked = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (let i = 0; i < n; i++) found[i] = asked.every(word => words[i].includes(word)) ? 1 : 0;
  tell(); redraw();
});
$("lasso").addEventListener("click", () => {
  lassoing = !lassoing; $("lasso").setAttribute("aria-pressed", lassoing); canvas.classList.toggle("lasso", lassoing);
});
$("whole").addEventListener("click", () => { view = { x: 0.5, y: 0.5, scale: 1 }; redraw(); });
$("save").addEventListener("click", () => {
  const lines = ["#EXTM3U", "# made by mgtag"];
  for (let i = 0; i < n; i++) if (anyChosen ? chosen[i] : visible(i)) {
    lines.push(`#EXTINF:${data.songs[i][3]},${named(i).replace(/[\r\n]/g, " ")}`, data.songs[i][0]);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "audio/x-mpegurl" }));
  link.download = "mgtag.m3u8"; link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
groups.forEach((g, i) => $("by").add(new Option(`by ${g.name}`, i)));
$("by").hidden = groups.length < 2;
$("by").addEventListener("change", () => { group = groups[$("by").value]; legend(); tell(); redraw(); });
$("how").textContent = `${data.method} of ${data.model}'s embeddings: near is alike, the axes mean nothing. Wheel or pinch zooms, `
  + "dragging moves, a click plays; Lasso (or Shift) chooses songs for a playlist.";
new ResizeObserver(redraw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
legend(); tell(); redraw();
