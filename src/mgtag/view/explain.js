"use strict";
// One time axis, four plots, one cursor. Nothing is fetched: data, picture and, if asked for, sound are in the page.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const { row, colours } = data;
const { slices, moments, duration_s: duration, frame_s: frameS } = row;
const perSlice = slices[0].weights.length;
const weights = slices.flatMap((slice) => slice.weights);
const labels = Object.keys(row.genres).sort((a, b) => row.vote.probabilities[b] - row.vote.probabilities[a]);
const peak = (label) => Math.max(...slices.map((slice) => slice.probabilities[label]));
const small = new Set(labels.filter((label) => peak(label) < 0.05)); // drawn and told together, as "others"
const song = $("song"), stack = $("stack");
const PLAY = "M8 5v14l11-7z", PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";
const RAMPS = { // softest to loudest
  light: ["#ffffff", "#e9e4f2", "#c3a6d8", "#a04a9c", "#5b1a6e", "#1b0b33"],
  dark: ["#131316", "#2b1150", "#7a1f6d", "#cf4446", "#fb9b06", "#fcf6bd"],
};

const percent = (share) => `${Math.round(share * 100)}%`;
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
