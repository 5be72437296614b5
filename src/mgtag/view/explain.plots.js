// The four plots, drawn anew when the width or the colours change.
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
  for (const [hz, share] of data.sound.ticks) {
    mark(pen, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, width, height * (1 - share));
  }
}

// What a height means, at the right edge, on ground of its own: a plot runs beneath it.
function mark(pen, name, width, y) {
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = "right";
  const wide = pen.measureText(name).width + 8;
  pen.fillStyle = css("--plot");
  pen.globalAlpha = 0.8;
  pen.fillRect(width - wide, y - 7, wide, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = css("--soft");
  pen.fillText(name, width - 4, y + 3.5);
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
  mark(pen, `${top.toFixed(0)} ×`, width, y(top));
  mark(pen, "1 ×", width, y(1));
}

function drawGenres() {
  const { pen, height, x } = surface("genres");
  for (const slice of slices) {
    let y = height;
    const left = x(slice.start_s), right = x(slice.end_s);
    for (const label of labels) {
      const tall = slice.probabilities[label] * height;
      pen.fillStyle = slice.genre && !small.has(label) ? colour(row.genres[label]) : css("--line");
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
