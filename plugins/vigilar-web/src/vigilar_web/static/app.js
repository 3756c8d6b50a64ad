// What every page needs: times that age, pictures that may be missing, questions before harm.
"use strict";

(() => {
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });

  function age(seconds) {
    if (Math.abs(seconds) < 45) return "just now";
    const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length * 0.95) || UNITS.at(-1);
    return words.format(-Math.round(seconds / length), unit);
  }

  function ageAll() {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-ago]")) {
      const text = age((now - Date.parse(element.dataset.ago)) / 1000);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function refreshPictures() {
    if (document.hidden) return;
    for (const picture of document.querySelectorAll("img[data-refresh]")) {
      const address = new URL(picture.dataset.refresh, location.href);
      address.searchParams.set("t", Date.now());
      picture.src = address;
    }
  }

  // A picture that is not there leaves what is under it in sight; one that is still being made
  // is asked for again.
  document.addEventListener("error", (event) => {
    const picture = event.target;
    if (!(picture instanceof HTMLImageElement) || !picture.hasAttribute("data-optional")) return;
    picture.hidden = true;
    const tries = Number(picture.dataset.tries || 0) + 1;
    picture.dataset.tries = tries;
    if (!picture.dataset.refresh && tries <= 3) {
      setTimeout(() => { picture.src = picture.getAttribute("src"); }, 12000 * tries);
    }
  }, true);
  document.addEventListener("load", (event) => {
    if (event.target instanceof HTMLImageElement) event.target.hidden = false;
  }, true);

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // A one-time code behind the # goes into its field and out of the address.
  const code = document.querySelector("input[data-from-hash]");
  if (code && location.hash.length > 1) {
    code.value = decodeURIComponent(location.hash.slice(1));
    code.closest("[data-code-field]").hidden = true;
    history.replaceState(null, "", location.pathname);
  }

  // After setting up, the server comes back on its real address a moment later.
  const waiting = document.querySelector("[data-wait-for]");
  if (waiting) {
    const ask = () => fetch("/health/live", { cache: "no-store" })
      .then((answer) => { if (!answer.ok) throw new Error(); location.assign(waiting.dataset.waitFor); })
      .catch(() => setTimeout(ask, 500));
    setTimeout(ask, 1500);
  }

  for (const link of document.querySelectorAll("[data-copy]")) {
    link.addEventListener("click", async () => {
      await navigator.clipboard.writeText(link.dataset.copy);
      link.querySelector("span").textContent = "Copied";
    });
  }

  const states = document.querySelector("[data-camera-states]");
  async function refreshStates() {
    if (!states || document.hidden) return;
    const answer = await fetch("/api/v1/cameras", { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok) return;
    for (const camera of (await answer.json()).items) {
      const card = states.querySelector(`[data-camera="${CSS.escape(camera.id)}"]`);
      const pill = card && card.querySelector(".pill");
      if (!pill) continue;
      const shown = camera.moving ? "moving" : camera.phase;
      card.classList.toggle("moving", camera.moving);
      pill.className = `pill ${pill.dataset[`${shown}Class`] || ""}`;
      pill.textContent = pill.dataset[shown] || camera.phase;
    }
  }

  window.vigilar = { ageAll, refreshStates };
  ageAll();
  setInterval(ageAll, 20000);
  setInterval(refreshPictures, 10000);
  setInterval(refreshStates, 5000);
  document.addEventListener("htmx:after:swap", ageAll);
})();
