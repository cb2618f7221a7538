// stopwatch(event, needs) → promise of {seconds, served}
//   event : what starts the watch: 'pointerup', 'keydown', or 'upload' (its end, not its beginning)
//   needs : [selector, text] pairs that the finished page shows
// The watch stops at the second frame after the page has run, settled, and shows what it needs.
window.stopwatch = (event, needs) => new Promise((resolve, reject) => {
  let began, input, served, heading, ran = false;
  const app = () => document.querySelector("[data-testid='stApp']");
  const none = selector => !document.querySelector(selector);
  const listened = event === 'upload' ? 'change' : event;
  const title = () => document.querySelector('h1')?.textContent;
  addEventListener(listened, () => {
    if (input !== undefined) return;
    input = began = performance.now();
    heading = title();
  }, { capture: true });
  const watcher = new MutationObserver(() => {
    if (input === undefined || !app()) return;
    ran = true;
    if (app().dataset.testScriptState === 'notRunning') served = performance.now();
  });
  watcher.observe(document.body, { subtree: true, attributeFilter: ['data-test-script-state'] });
  const uploaded = () => performance.getEntriesByType('resource')
    .find(entry => entry.name.includes('/_stcore/upload_file/') && entry.startTime >= input && entry.responseEnd);
  const begun = () => {
    if (event !== 'upload') return true;
    const entry = uploaded();
    if (entry) began = entry.responseEnd;
    return !!entry;
  };
  // A short run may begin and end between two frames: a new page then still has another title.
  const painted = () => (ran || title() !== heading) && begun()
    && app().dataset.testScriptState === 'notRunning' && app().dataset.testConnectionState === 'CONNECTED'
    && none("[data-testid='stSkeleton'], [data-testid='stSpinner'], [data-stale='true']")
    && [...document.querySelectorAll("[data-testid='stPlotlyChart']")].every(chart => chart.querySelector('.main-svg'))
    && needs.every(([selector, text]) =>
      [...document.querySelectorAll(selector)].some(found => found.textContent.includes(text)));
  const deadline = performance.now() + 60000;
  let frames = 0;
  const look = () => {
    frames = input !== undefined && painted() ? frames + 1 : 0;
    if (frames === 3) {
      watcher.disconnect();
      const now = performance.now();
      resolve({ seconds: (now - began) / 1000, served: ((served ?? now) - began) / 1000 });
    } else if (performance.now() > deadline) {
      watcher.disconnect();
      reject(new Error(`not painted within a minute: ${JSON.stringify(needs)}`));
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
