// Runs in every page before its own scripts: keeps what a delivery's page shows, read by roles and
// labels as a screen reader does, frame by frame, where it differs from the frame before; and how
// long each task was that held the page up.
globalThis.recorder = {
  frames: [],
  tasks: [], // milliseconds

  now() {
    const said = (place) => (place?.textContent ?? "").replace(/\s+/g, " ").trim();
    const numberOf = (text) => Number(text.replaceAll(",", ""));
    const labelled = (label, within) =>
      [...document.querySelectorAll(`[aria-label="${label}"] ${within}`)].map((each) => each);
    const groups = {};
    for (const button of labelled("Show only files that are", "button")) {
      const [, name, number] = /^(.*?)\s*([\d,]+)$/.exec(said(button)) ?? [];
      if (name !== undefined) groups[name] = numberOf(number);
    }
    const rows = {};
    for (const row of labelled("Files", "button")) {
      rows[said(row).split("Details of ")[1]] = said(row.querySelector("[data-state]"));
    }
    const done = labelled("Totals", "p").map((p) => /^([\d,]+) of .* done$/.exec(said(p)));
    const progress = document.querySelector("progress");
    return {
      groups,
      rows,
      done: numberOf(done.find((match) => match !== null)?.[1] ?? "-1"),
      sent: progress?.value ?? -1,
    };
  },
};

{
  let last = "";
  const look = () => {
    const seen = recorder.now();
    const text = JSON.stringify(seen);
    if (text !== last) recorder.frames.push({ at: performance.now(), ...seen });
    last = text;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) recorder.tasks.push(task.duration);
  }).observe({ type: "longtask", buffered: true });
}
