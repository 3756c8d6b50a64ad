// The live picture of a camera: fragments into Media Source Extensions, else HLS, else pictures.
// Each way says why it gave up, and the next one is tried.

const TARGET_DELAY_S = 0.5;
const GREATEST_DELAY_S = 1.5;
const KEEP_BEHIND_S = 10;
const SILENCE_MS = 6000;
const RETRY_MS = [1000, 2000, 4000, 8000];

class LivePicture {
  constructor(figure) {
    this.figure = figure;
    this.video = figure.querySelector("video");
    this.image = figure.querySelector("img");
    this.state = figure.querySelector(".live-state");
    this.badge = figure.querySelector(".live-badge");
    this.tries = 0;
    this.stopCurrent = () => {};
    this.visible = false;
    new IntersectionObserver((entries) => this.show(entries.at(-1).isIntersecting)).observe(figure);
    document.addEventListener("visibilitychange", () => this.show(this.onScreen));
  }

  // Pictures that nobody can see cost nothing: the stream stops while hidden.
  show(onScreen) {
    this.onScreen = onScreen;
    const visible = onScreen && !document.hidden;
    if (visible === this.visible) return;
    this.visible = visible;
    if (visible) this.begin(0);
    else this.stop();
  }

  stop() {
    clearTimeout(this.timer);
    this.stopCurrent();
    this.stopCurrent = () => {};
  }

  begin(first) {
    const ways = [playFragments, playHls, playPictures];
    this.stop();
    const way = ways[first];
    this.say("Connecting …");
    let over = false;
    this.stopCurrent = way(this, {
      playing: (label) => { this.tries = 0; this.say(""); this.showBadge(label); },
      unsupported: () => { if (!over) { over = true; this.begin((first + 1) % ways.length); } },
      lost: (reason) => {
        if (over) return;
        over = true;
        this.stop();
        this.showBadge("");
        this.say(reason);
        const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
        const next = this.tries % 3 === 0 ? (first + 1) % ways.length : first;
        if (this.visible) this.timer = setTimeout(() => this.begin(next), wait);
      },
    });
  }

  say(text) {
    this.state.textContent = text;
    this.figure.dataset.state = text ? "waiting" : "playing";
  }

  showBadge(text) {
    this.badge.textContent = text;
    this.badge.hidden = !text;
  }

  useVideo(yes) {
    this.video.hidden = !yes;
    this.image.hidden = yes;
  }
}

function playFragments(picture, { playing, unsupported, lost }) {
  const Source = window.ManagedMediaSource ?? window.MediaSource;
  if (!Source || !("WebSocket" in window)) { queueMicrotask(unsupported); return () => {}; }
  const { video } = picture;
  const address = new URL(picture.figure.dataset.fragments, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  let buffer = null;
  let queue = [];
  let silence = setTimeout(() => lost("The camera sends no picture."), SILENCE_MS);

  const pump = () => {
    if (!buffer || buffer.updating || !queue.length) return;
    try { buffer.appendBuffer(queue.shift()); }
    catch { lost("This browser cannot show the stream."); }
  };
  const keepUp = () => {
    const { buffered } = video;
    if (!buffered.length) return;
    const end = buffered.end(buffered.length - 1);
    const delay = end - video.currentTime;
    if (delay > GREATEST_DELAY_S || video.currentTime < buffered.start(0)) video.currentTime = end - 0.2;
    else video.playbackRate = delay > TARGET_DELAY_S ? 1.1 : 1;
    if (!buffer.updating && buffered.start(0) < video.currentTime - 2 * KEEP_BEHIND_S)
      buffer.remove(0, video.currentTime - KEEP_BEHIND_S);
    if (video.paused) video.play().catch(() => {});
  };
  const start = (type) => {
    if (!Source.isTypeSupported(type)) { socket.close(); unsupported(); return; }
    const source = new Source();
    buffer = null;
    queue = [];
    video.disableRemotePlayback = true;
    video.src = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(video.src);
      buffer = source.addSourceBuffer(type);
      // Fragments carry the camera's own times; played in sequence they need no gap at the start.
      buffer.mode = "sequence";
      buffer.addEventListener("updateend", () => { keepUp(); pump(); });
      pump();
    }, { once: true });
    picture.useVideo(true);
  };
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") { start(JSON.parse(data).type); return; }
    clearTimeout(silence);
    silence = setTimeout(() => lost("The picture has stopped."), SILENCE_MS);
    queue.push(data);
    pump();
  });
  video.onplaying = () => playing("live");
  video.onerror = () => lost("This browser cannot show the stream.");
  socket.addEventListener("close", ({ reason }) => lost(reason || "The connection was lost."));
  return () => {
    clearTimeout(silence);
    video.onplaying = video.onerror = null;
    socket.close();
    video.removeAttribute("src");
    video.load();
  };
}

function playHls(picture, { playing, unsupported, lost }) {
  const { video } = picture;
  const { hls: address, hlsScript } = picture.figure.dataset;
  let player = null;
  let stopped = false;
  picture.useVideo(true);
  video.onplaying = () => playing("HLS");
  const attach = (Hls) => {
    if (stopped) return;
    if (Hls?.isSupported()) {
      player = new Hls({ liveSyncDurationCount: 2, enableWorker: false, manifestLoadPolicy: {
        default: { maxTimeToFirstByteMs: 5000, maxLoadTimeMs: 10000, timeoutRetry: null,
          errorRetry: { maxNumRetry: 6, retryDelayMs: 1000, maxRetryDelayMs: 2000 } } } });
      player.on(Hls.Events.ERROR, (_, { fatal }) => { if (fatal) lost("The stream could not be read."); });
      player.loadSource(address);
      player.attachMedia(video);
    } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
      video.src = address;
      video.onerror = () => lost("The stream could not be read.");
    } else unsupported();
    video.play().catch(() => {});
  };
  if (window.Hls) attach(window.Hls);
  else {
    const script = document.createElement("script");
    script.src = hlsScript;
    script.onload = () => attach(window.Hls);
    script.onerror = () => attach(null);
    document.head.append(script);
  }
  return () => {
    stopped = true;
    video.onplaying = video.onerror = null;
    player?.destroy();
    video.removeAttribute("src");
    video.load();
  };
}

function playPictures(picture, { playing, lost }) {
  const { image } = picture;
  picture.useVideo(false);
  image.onload = () => playing("pictures");
  image.onerror = () => lost("The camera sends no picture.");
  image.src = `${picture.figure.dataset.pictures}?${Date.now()}`;
  return () => {
    image.onload = image.onerror = null;
    image.removeAttribute("src");
  };
}

for (const figure of document.querySelectorAll("[data-live]")) new LivePicture(figure);

const single = document.querySelector(".live-single");
document.querySelector('[data-action="sound"]')?.addEventListener("click", ({ currentTarget }) => {
  const video = single.querySelector("video");
  video.muted = !video.muted;
  currentTarget.setAttribute("aria-pressed", String(!video.muted));
});
document.querySelector('[data-action="fullscreen"]')?.addEventListener("click", () =>
  single.querySelector(".live-picture").requestFullscreen?.());
