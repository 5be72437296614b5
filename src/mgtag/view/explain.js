"use strict";
// One time axis, four plots, one cursor. Nothing is fetched: data, picture and, if asked for, sound are in the page.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const { row, colours } = data;
const { slices, moments, duration_s: duration, frame_s: frameS } = row;
const perSlice = slices[0].weights.length;
const weights = slices.flatMap((slice) => slice.weights);
const labels = Object.keys(row.genres).sort((a, b) => row.vote.probabilities[b] - row.vote.probabilities[a]);
const song = $("song"), stack = $("stack");
const PLAY = "M8 5v14l11-7z", PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";
const RAMPS = { // softest to loudest
  light: ["#ffffff", "#e9e4f2", "#c3a6d8", "#a04a9c", "#5b1a6e", "#1b0b33"],
  dark: ["#131316", "#2b1150", "#7a1f6d", "#cf4446", "#fb9b06", "#fcf6bd"],
};

const percent = (share) => `${Math.round(share * 100)} %`;
const colour = (genre) => colours[genre] || "transparent";
const dot = (genre) => `<i class="dot" style="--c:${colour(genre)}"></i>`;
const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
function clock(seconds, digits = 1) {
  const units = Math.round(seconds * 10 ** digits), whole = Math.floor(units / 10 ** digits);
  const pad = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), rest = `${pad(whole % 60)}`;
  const told = hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}:${rest}` : `${Math.floor(whole / 60)}:${rest}`;
  return digits ? `${told}.${String(units % 10 ** digits).padStart(digits, "0")}` : told;
}

// What is so at a time; past the last whole slice nothing was heard.
function at(time) {
  const frame = Math.floor(time / frameS + 1e-6), slice = slices[Math.floor(frame / perSlice)];
  if (!slice) return { time };
  const label = labels.find((name) => row.genres[name] === slice.genre);
  return { time, genre: slice.genre, probability: slice.probabilities[label], weight: weights[frame] };
}
function told({ genre, probability, weight }) {
  if (weight === undefined) return "not heard: less than a slice is left";
  const share = genre ? `${dot(genre)}${escaped(genre)} ${percent(probability)}` : "silence";
  return `${share}, weight ${weight.toFixed(1)} ×`;
}

// --- plots -------------------------------------------------------------------------------------
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isDark = matchMedia("(prefers-color-scheme: dark)");
const unpack = (text) => Int8Array.from(atob(text), (c) => c.charCodeAt(0));
const low = unpack(data.sound.low), high = unpack(data.sound.high);
const picture = new Image();
let recoloured = null;

function surface(id) {
  const canvas = $(id), ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, width, height, x: (time) => (time / duration) * width };
}

function drawWave() {
  const { pen, width, height, x } = surface("wave");
  const peak = Math.max(1, ...high.map(Math.abs), ...low.map(Math.abs)), step = data.sound.column_s;
  for (let px = 0; px < width; px++) {
    const from = Math.floor(((px / width) * duration) / step);
    const to = Math.max(from + 1, Math.floor((((px + 1) / width) * duration) / step));
    let top = -128, bottom = 127;
    for (let n = from; n < to && n < high.length; n++) {
      top = Math.max(top, high[n]);
      bottom = Math.min(bottom, low[n]);
    }
    const heard = at(((px + 0.5) / width) * duration);
    pen.fillStyle = heard.genre ? colour(heard.genre) : css("--soft");
    pen.globalAlpha = heard.genre ? 0.35 + 0.65 * heard.probability : 0.3;
    const scale = (height / 2 - 3) / peak;
    pen.fillRect(px, height / 2 - top * scale, 1, Math.max(1, (top - bottom) * scale));
  }
  markMoments(pen, x, height);
}

function drawMel() {
  const { pen, width, height, x } = surface("mel");
  if (!recoloured) return;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(recoloured, 0, 0, x(recoloured.width * data.sound.column_s), height);
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = "right";
  for (const [hz, share] of data.sound.ticks) {
    const y = height * (1 - share), name = hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`;
    pen.fillStyle = css("--plot");
    pen.globalAlpha = 0.75;
    pen.fillRect(width - 42, y - 7, 42, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = css("--soft");
    pen.fillText(name, width - 4, y + 3.5);
  }
}

function recolour() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  const ramp = RAMPS[isDark.matches ? "dark" : "light"].map((c) => [1, 3, 5].map((n) => parseInt(c.slice(n, n + 2), 16)));
  const table = Array.from({ length: 256 }, (_, n) => {
    const place = (n / 255) * (ramp.length - 1), base = Math.min(ramp.length - 2, Math.floor(place));
    return [0, 1, 2].map((c) => ramp[base][c] + (ramp[base + 1][c] - ramp[base][c]) * (place - base));
  });
  const cells = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let n = 0; n < cells.data.length; n += 4) cells.data.set(table[cells.data[n]], n);
  pen.putImageData(cells, 0, 0);
  recoloured = canvas;
}

function drawCurve() {
  const { pen, width, height, x } = surface("curve");
  const means = Array.from({ length: Math.ceil(width) }, (_, px) => {
    const from = Math.floor(((px / width) * duration) / frameS);
    const part = weights.slice(from, Math.max(from + 1, Math.floor((((px + 1) / width) * duration) / frameS)));
    return part.length ? part.reduce((a, b) => a + b) / part.length : 0;
  });
  const top = Math.max(2, ...means), y = (weight) => height - 1 - (weight / top) * (height - 22);
  markMoments(pen, x, height, true);
  pen.strokeStyle = css("--soft");
  pen.setLineDash([3, 4]);
  pen.beginPath();
  pen.moveTo(0, y(1));
  pen.lineTo(width, y(1));
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(0, height);
  means.forEach((weight, px) => pen.lineTo(px + 0.5, y(weight)));
  pen.lineTo(width, height);
  pen.fillStyle = pen.strokeStyle = css("--curve");
  pen.globalAlpha = 0.25;
  pen.fill();
  pen.globalAlpha = 1;
  pen.stroke();
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = "right";
  pen.fillStyle = css("--soft");
  pen.fillText(`${top.toFixed(0)} ×`, width - 4, y(top) + 10);
  pen.textAlign = "left";
  pen.fillText("1 ×", 4, y(1) - 4);
}

function drawGenres() {
  const { pen, height, x } = surface("genres");
  for (const slice of slices) {
    let y = height;
    const left = x(slice.start_s), right = x(slice.end_s);
    for (const label of labels) {
      const tall = slice.probabilities[label] * height;
      pen.fillStyle = slice.genre ? colour(row.genres[label]) : css("--line");
      pen.globalAlpha = row.genres[label] === slice.genre ? 1 : 0.55;
      pen.fillRect(left, y - tall, right - left - (right - left > 4 ? 1 : 0), tall);
      y -= tall;
    }
  }
}

function drawAxis() {
  const { pen, width, x } = surface("axis");
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].find((s) => x(s) >= 56) || 7200;
  pen.fillStyle = css("--soft");
  pen.font = "11px system-ui, sans-serif";
  for (let time = 0; time < duration; time += step) {
    pen.fillRect(x(time), 0, 1, 4);
    pen.textAlign = time ? "center" : "left";
    if (x(time) + 16 < width) pen.fillText(clock(time, 0), x(time), 15);
  }
}

function markMoments(pen, x, height, numbered = false) {
  pen.globalAlpha = 1;
  moments.forEach((moment, n) => {
    const left = x(moment.start_s), wide = Math.max(3, x(moment.end_s) - left);
    pen.fillStyle = css("--mark");
    pen.fillRect(left, 0, wide, height);
    if (!numbered) return;
    pen.fillStyle = colour(moment.genre);
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText(n + 1, left + wide / 2, 12);
  });
}

function draw() {
  drawWave();
  drawMel();
  drawCurve();
  drawGenres();
  drawAxis();
  move();
}

// --- time --------------------------------------------------------------------------------------
let place = 0; // seconds; the song's own where it can be played
let playable = Boolean(data.audio);
const width = () => stack.clientWidth;

function move() {
  if (playable && song.readyState > 0) place = song.currentTime;
  $("cursor").style.transform = `translateX(${(place / duration) * width()}px)`;
  $("clock").textContent = `${clock(place)} / ${clock(duration)}`;
  $("now").innerHTML = told(at(place));
  stack.setAttribute("aria-valuenow", place.toFixed(1));
  stack.setAttribute("aria-valuetext", `${clock(place)}, ${$("now").textContent}`);
}
function seek(time) {
  place = Math.max(0, Math.min(duration - 0.01, time));
  if (playable) song.currentTime = place;
  move();
}
function follow() {
  move();
  if (!song.paused) requestAnimationFrame(follow);
}
function toggle() {
  if (!playable) return;
  if (song.paused) song.play().catch(() => {});
  else song.pause();
}
function showState() {
  $("play").querySelector("path").setAttribute("d", song.paused ? PLAY : PAUSE);
  $("play").setAttribute("aria-label", song.paused ? "Play" : "Pause");
  follow();
}
function mute(why) {
  playable = false;
  $("play").disabled = true;
  $("trouble").hidden = false;
  $("trouble").textContent = why;
}

const timeOf = (event) => ((event.clientX - stack.getBoundingClientRect().left) / width()) * duration;
function hover(event) {
  const time = timeOf(event);
  if (time < 0 || time > duration) return leave();
  const tip = $("tip"), x = (time / duration) * width();
  tip.innerHTML = `<b>${clock(time)}</b><br>${told(at(time)).replace(", ", "<br>")}`;
  tip.hidden = $("ghost").hidden = false;
  const side = x + tip.offsetWidth + 14 < width() ? x + 12 : x - tip.offsetWidth - 12;
  tip.style.transform = `translateX(${Math.max(0, side)}px)`;
  $("ghost").style.transform = `translateX(${x}px)`;
}
function leave() {
  $("tip").hidden = $("ghost").hidden = true;
}
stack.addEventListener("pointermove", (event) => {
  hover(event);
  if (event.buttons & 1) seek(timeOf(event));
});
stack.addEventListener("pointerleave", leave);
stack.addEventListener("pointerdown", (event) => {
  if (event.button === 0) seek(timeOf(event));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.shiftKey ? 10 : 1, moment = moments[Number(event.key) - 1];
  if (event.key === " " && event.target.tagName !== "BUTTON") toggle();
  else if (event.key === "ArrowRight") seek(place + step);
  else if (event.key === "ArrowLeft") seek(place - step);
  else if (event.key === "Home") seek(0);
  else if (event.key === "End") seek(duration);
  else if (moment) seek(moment.start_s);
  else return;
  event.preventDefault();
});

// --- words -------------------------------------------------------------------------------------
const { genre, confidence, runner_up: second, threshold } = row.vote;
$("verdict").innerHTML = `${dot(genre)}<b>${escaped(genre)}, ${percent(confidence)} sure</b>` +
  (second ? `; then ${escaped(second)}, ${percent(row.vote.probabilities[labels[1]])}` : "") +
  (confidence < threshold ? `. Not sure enough to be written: the model asks for ${percent(threshold)}` : "");
$("curve-name").textContent = data.name;
$("how").textContent = `${data.name}: ${data.means}; 1 × is an average moment. Heard by ${row.bundle}.`;
const counts = labels.map((label) => [row.genres[label], slices.filter((s) => s.genre === row.genres[label]).length]);
$("legend").innerHTML = counts.filter(([, n]) => n).sort((a, b) => b[1] - a[1])
  .map(([name, n]) => `<li>${dot(name)}${escaped(name)} <span>${n} of ${slices.length}</span></li>`).join("");
moments.forEach((moment, n) => {
  const line = $("moments").tBodies[0].insertRow();
  line.innerHTML = `<td><button type="button" aria-label="Play moment ${n + 1}">${n + 1}</button></td>` +
    `<td>${clock(moment.start_s)} – ${clock(moment.end_s)}</td><td>${dot(moment.genre)}${escaped(moment.genre)}</td>` +
    `<td>${percent(moment.probability)}</td><td>${moment.weight.toFixed(1)} ×</td>`;
  line.querySelector("button").addEventListener("click", () => {
    seek(moment.start_s);
    if (playable) song.play().catch(() => {});
  });
});

$("play").addEventListener("click", toggle);
for (const name of ["play", "pause", "ended"]) song.addEventListener(name, showState);
for (const name of ["seeked", "timeupdate", "loadedmetadata"]) song.addEventListener(name, move);
song.addEventListener("error", () => mute(
  "This browser cannot play the song: it is not where it was, or of a kind that browsers do not know. " +
  "`mgtag explain --embed-audio --html …` puts it into the page."));
if (playable) song.src = data.audio;
stack.setAttribute("aria-valuemax", duration.toFixed(1));
showState();
new ResizeObserver(draw).observe(stack);
isDark.addEventListener("change", () => {
  recolour();
  draw();
});
picture.addEventListener("load", () => {
  recolour();
  draw();
});
picture.src = data.sound.picture;
