// Keeps the page's numbers fresh. It runs in the browser, alone: whatever fails, the page stays as the server sent it.
const pollMs = 2_000;
const slowPollMs = 15_000;
const format = new Intl.NumberFormat("en");
const perSecond = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** @type {{ atMs: number, outputTokens: number } | undefined} */
let before;

function show(id, text) {
  const element = document.getElementById(id);
  if (element !== null && element.textContent !== text) element.textContent = text;
}

function showState(ready, text) {
  const element = document.getElementById("state");
  if (element !== null) element.dataset.ready = String(ready);
  show("state", text);
}

function update(status) {
  const { live, models } = status;
  show("requests", format.format(live.requests));
  show("in-flight", format.format(live.inFlight));
  show("tokens", format.format(live.outputTokens));
  const elapsedMs = before === undefined ? 0 : live.atMs - before.atMs;
  const tokens = before === undefined ? 0 : live.outputTokens - before.outputTokens;
  // A restarted server counts from zero again: that is no rate.
  if (elapsedMs > 0 && tokens >= 0) show("rate", perSecond.format((tokens * 1000) / elapsedMs));
  before = live;
  showState(status.state === "ready", status.state.charAt(0).toUpperCase() + status.state.slice(1));
  showModels(models);
}

function showModels(models) {
  const rows = [...document.querySelectorAll("tr[data-model]")];
  const same = rows.length === models.length && rows.every((row, at) => row.dataset.model === models[at].name);
  if (!same) return window.location.reload();
  for (const [at, row] of rows.entries()) {
    row.dataset.ready = String(models[at].ready);
    const tag = row.querySelector(".tag");
    if (tag !== null) tag.textContent = models[at].ready ? "ready" : "not ready";
  }
}

async function poll() {
  let nextMs = document.hidden ? slowPollMs : pollMs;
  try {
    const response = await window.fetch("/page/status.json", { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    update(await response.json());
  } catch {
    // The server is restarting or gone; it is asked again, less often.
    before = undefined;
    show("rate", "–");
    showState(false, "Not reachable");
    nextMs = slowPollMs / 3;
  }
  window.setTimeout(poll, nextMs);
}

await poll();
