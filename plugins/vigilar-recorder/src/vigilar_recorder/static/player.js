// Says so when a recording cannot be played, and lets the arrow keys go through it.
"use strict";

(() => {
  const player = document.querySelector("video.player");
  if (!player) return;
  player.addEventListener("error", () => { document.getElementById("player-error").hidden = false; });
  document.addEventListener("keydown", (event) => {
    if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -5, ArrowRight: 5, ",": -0.2, ".": 0.2 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    player.currentTime = Math.max(0, player.currentTime + step);
  });
})();
