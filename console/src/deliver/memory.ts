/** Which deliveries this browser began and did not see arrive; it outlives a reload or a crash. */

const KEY = "laydown.unfinished";
const MOST = 20; // deliveries; the oldest are forgotten

export type Remembered = { batch: string; project: string };

/** Return what is remembered, newest first. */
export function remembered(): Remembered[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isRemembered) : [];
  } catch {
    return []; // storage is forbidden, or somebody else wrote there: the server's list still helps
  }
}

/** Keep in mind that a delivery is being sent from here. */
export function remember(one: Remembered): void {
  const others = remembered().filter((other) => other.batch !== one.batch);
  write([one, ...others].slice(0, MOST));
}

/** Forget a delivery: it arrived, or it was taken back. */
export function forget(batch: string): void {
  write(remembered().filter((other) => other.batch !== batch));
}

function write(all: Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is full or forbidden; the server's list still helps.
  }
}

function isRemembered(kept: unknown): kept is Remembered {
  if (typeof kept !== "object" || kept === null) return false;
  return (
    "batch" in kept &&
    typeof kept.batch === "string" &&
    "project" in kept &&
    typeof kept.project === "string"
  );
}
