// New events appear at the top of a [data-feed] list as soon as they are committed.
"use strict";

(() => {
  const WAIT_MS = 200;
  const state = document.querySelector("[data-feed-state]");
  const announcer = document.querySelector("[data-feed-announce]");
  let timer = null;
  let busy = false;
  let again = false;

  const feed = () => document.querySelector("[data-feed]");

  function show(words, level) {
    if (!state) return;
    state.className = `pill link-state ${level}`;
    state.textContent = words;
  }

  function soon() {
    if (timer === null) timer = setTimeout(fetchNewer, WAIT_MS);
  }

  async function fetchNewer() {
    timer = null;
    if (busy) { again = true; return; }
    busy = true;
    try {
      const list = feed();
      if (!list) return;
      const address = new URL(list.dataset.feed, location.href);
      address.searchParams.set("after", list.dataset.newest);
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.status === 205 || answer.status === 401) { location.reload(); return; }
      if (answer.status === 200 && list === feed()) insert(list, await answer.text());
    } catch {
      show("Connection lost", "warn");
    } finally {
      busy = false;
      if (again) { again = false; soon(); }
    }
  }

  function insert(list, text) {
    const fragment = new DOMParser().parseFromString(text, "text/html").querySelector("[data-new]");
    list.dataset.newest = fragment.dataset.new;
    const titles = [...fragment.querySelectorAll(".event .title")].map((title) => title.textContent.trim());
    for (const section of fragment.querySelectorAll("[data-day]")) {
      const rows = dayOf(list, section).querySelector("ol");
      for (const event of section.querySelectorAll(".event")) place(rows, event);
    }
    list.querySelector(".empty")?.remove();
    trim(list);
    window.vigilar.ageAll();
    if (announcer && titles.length) {
      announcer.textContent = titles.length > 3 ? `${titles.length} new events` : titles.join(". ");
    }
  }

  // The section of the same day, or an empty one put where it belongs among the others.
  function dayOf(list, section) {
    const days = [...list.querySelectorAll("[data-day]")];
    const same = days.find((day) => day.dataset.day === section.dataset.day);
    if (same) return same;
    const fresh = document.importNode(section, true);
    fresh.querySelector("ol").replaceChildren();
    const behind = days.find((day) => day.dataset.day < section.dataset.day);
    list.insertBefore(fresh, behind || list.querySelector("#older"));
    return fresh;
  }

  // By time, as an event that was held up on its way belongs where it happened.
  function place(rows, event) {
    if (document.getElementById(event.id)) return;
    event.classList.add("fresh");
    const time = Number(event.dataset.time);
    const behind = [...rows.children].find((row) => Number(row.dataset.time) <= time);
    rows.insertBefore(document.adoptNode(event), behind || null);
  }

  function trim(list) {
    const most = Number(list.dataset.most || 0);
    if (!most) return;
    for (const extra of [...list.querySelectorAll(".event")].slice(most)) extra.remove();
    for (const day of list.querySelectorAll("[data-day]")) {
      if (!day.querySelector(".event")) day.remove();
    }
  }

  if (!feed()) return;
  const source = new EventSource(`/events/stream?after=${encodeURIComponent(feed().dataset.newest)}`);
  source.addEventListener("open", () => show("Live", "well"));
  source.addEventListener("event", soon);
  source.addEventListener("error", () => {
    show(source.readyState === EventSource.CLOSED ? "Not live; reload the page" : "Reconnecting …", "warn");
  });
  window.addEventListener("pagehide", () => source.close());
})();
