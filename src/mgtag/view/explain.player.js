// One place in the song: of the sound, the cursor, the words; moved by clock, pointer and keyboard.
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
const { genre, confidence, runner_up: second, threshold, sure } = row.vote;
$("verdict").innerHTML = `${dot(genre)}<b>${escaped(genre)}, ${percent(confidence)} sure</b>` +
  (second ? `; then ${escaped(second)}, ${percent(row.vote.probabilities[labels[1]])}` : "") +
  (sure ? "" : threshold === null ? ". The model never writes it" : `. Not sure enough to be written: the model asks for ${percent(threshold)}`);
$("curve-name").textContent = data.name;
$("how").textContent = `${data.name}: ${data.means}; 1 × is an average moment. Heard by ${row.bundle}.`;
const best = (label) => slices.filter((slice) => slice.genre === row.genres[label]).length;
const shown = labels.filter((label) => best(label) || !small.has(label)).sort((a, b) => best(b) - best(a) || peak(b) - peak(a));
const others = labels.length - shown.length;
$("legend").innerHTML = shown.map((label) => `<li>${dot(row.genres[label])}${escaped(row.genres[label])} <span>` +
  (best(label) ? `${best(label)} of ${slices.length}` : `${percent(peak(label))} at most`) + "</span></li>").join("") +
  (others ? `<li><i class="dot" style="--c:var(--line)"></i>others <span>${others}</span></li>` : "");
$("strongest").hidden = !moments.length;
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
if (row.words) {
  $("words").hidden = false;
  $("lines").hidden = !row.words.lines.length;
  for (const { text, weight } of row.words.lines) {
    const line = $("lines").tBodies[0].insertRow();
    line.insertCell().textContent = text;
    line.insertCell().textContent = weight.toFixed(2);
  }
  const [label, share] = Object.entries(row.words.probabilities).reduce((a, b) => (b[1] > a[1] ? b : a));
  $("said").textContent = `The words voted, too: ${row.genres[label] || label}, ${percent(share)} among the genres they know. ` +
    "A weight is what a line adds to the genre's logit.";
}

for (const name of ["play", "pause", "ended"]) song.addEventListener(name, showState);
for (const name of ["seeked", "timeupdate", "loadedmetadata"]) song.addEventListener(name, move);
song.addEventListener("error", () => mute(
  "This browser cannot play the song: it is not where it was (--embed-audio puts it into the page), " +
  "or of a kind that browsers do not know."));
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
