/** Which files a list shows, and what they come to by reason. */

import type { Amount, DeliveryFile, DeliveryState, Outlook } from "@laydown/upload";

/** What a file will be, as people tell files apart; `unknown` until the server has said it. */
export type Kind = Outlook | "unknown";

/** What a list can be narrowed to; `unreadable` is what this device could not read. */
export type Shown = Kind | "unreadable";

/** All kinds, in the order in which they are shown. */
export const KINDS: readonly Kind[] = [
  "new",
  "new_version",
  "present",
  "skipped",
  "refused",
  "unknown",
];

/** Files of one kind that have the same reason. */
export type Group = { kind: Kind; reason: string; files: number };

export function kindOf(file: DeliveryFile): Kind {
  return file.outlook ?? "unknown";
}

/**
 * Return the indexes of the files of a kind (null: any) whose path holds a text, in either case;
 * null when that is all of them, so that a long list costs nothing while nobody filters it.
 */
export function matching(
  files: readonly DeliveryFile[],
  kind: Kind | null,
  text: string,
): number[] | null {
  const sought = text.trim().toLowerCase();
  if (kind === null && sought === "") return null;
  const indexes: number[] = [];
  for (const file of files) {
    if (kind !== null && kindOf(file) !== kind) continue;
    if (sought !== "" && !file.path.toLowerCase().includes(sought)) continue;
    indexes.push(file.index);
  }
  return indexes;
}

/** Return a number of files and bytes for each tile; no tile for none, but always one for new. */
export function tilesOf(
  state: Pick<DeliveryState, "found" | "outlooks">,
  unreadable: number,
): { shown: Shown; amount: Amount }[] {
  const known = Object.values(state.outlooks);
  const rest = {
    count: known.reduce((left, { count }) => left - count, state.found.count),
    bytes: known.reduce((left, { bytes }) => left - bytes, state.found.bytes),
  };
  const tiles: { shown: Shown; amount: Amount }[] = KINDS.map((kind) => ({
    shown: kind,
    amount: kind === "unknown" ? rest : state.outlooks[kind],
  }));
  tiles.push({ shown: "unreadable", amount: { count: unreadable, bytes: 0 } });
  return tiles.filter(({ shown, amount }) => shown === "new" || amount.count > 0);
}

/** Return what would be sent: all that is not here, and not known to be unwanted. */
export function wantedOf(state: Pick<DeliveryState, "found" | "outlooks">): Amount {
  const { present, skipped, refused } = state.outlooks;
  const not = [present, skipped, refused];
  return {
    count: not.reduce((left, { count }) => left - count, state.found.count),
    bytes: not.reduce((left, { bytes }) => left - bytes, state.found.bytes),
  };
}

/** Return the reasons for which files will not be sent, the most frequent first. */
export function groupsOf(files: readonly DeliveryFile[], kinds: readonly Kind[]): Group[] {
  const groups = new Map<string, Group>();
  for (const file of files) {
    const kind = kindOf(file);
    if (file.reason === null || !kinds.includes(kind)) continue;
    const key = `${kind} ${file.reason}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, reason: file.reason, files: 1 });
    else group.files += 1;
  }
  return [...groups.values()].sort((one, other) => other.files - one.files);
}

/** Return what will be sent as far as anybody knows: what is wanted, and what is not declared yet. */
export function expectedOf(toSend: Amount, files: readonly DeliveryFile[]): Amount {
  const expected = { ...toSend };
  for (const { uploadId, stage, outlook, size } of files) {
    if (uploadId !== null || stage === "left") continue;
    if (outlook !== null && outlook !== "new" && outlook !== "new_version") continue;
    expected.count += 1;
    expected.bytes += size;
  }
  return expected;
}

/** Return the files that could not be sent, `most` of them at most. */
export function troubled(files: readonly DeliveryFile[], most: number): DeliveryFile[] {
  const found: DeliveryFile[] = [];
  for (const file of files) {
    if (file.trouble === null) continue;
    found.push(file);
    if (found.length === most) break;
  }
  return found;
}
