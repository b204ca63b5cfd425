/** Finding the files in what was dropped or picked. */

import { breathe } from "./backoff";
import type { Found, Unreadable } from "./types";

const AT_ONCE = 500; // files told together
const READ_AT_ONCE = 64; // file entries asked for together: each takes a turn of the browser's

/** The part of the File and Directory Entries API that we use. */
type Entry = Pick<FileSystemEntry, "isFile" | "isDirectory" | "name">;
type FileEntry = Entry & Pick<FileSystemFileEntry, "file">;
type Place = { entry: Entry; path: string };
type DirectoryEntry = Entry & Pick<FileSystemDirectoryEntry, "createReader">;

/**
 * Take what was dropped. Must be called in the event's own task: afterwards the browser forgets
 * what was dropped; the entries taken here live on.
 */
export function dropped(items: DataTransferItemList): Entry[] {
  return [...items].flatMap((item) => {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    return entry === null ? [] : [entry];
  });
}

/** Yield the files below entries, in groups; return what can't be read. */
export async function* walk(entries: Entry[]): AsyncGenerator<Found[], Unreadable[]> {
  const unreadable: Unreadable[] = [];
  const waiting = entries.map((entry) => ({ entry, path: entry.name })).reverse();
  let found: Found[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (isDirectory(next.entry)) {
      try {
        for (const child of await placesIn(next.entry, next.path)) waiting.push(child);
      } catch (error) {
        unreadable.push({ path: next.path, why: whyOf(error) });
      }
      continue;
    }
    const run = [next];
    while (run.length < Math.min(READ_AT_ONCE, AT_ONCE - found.length)) {
      const after = waiting.at(-1);
      if (after === undefined || isDirectory(after.entry)) break;
      run.push(after);
      waiting.pop();
    }
    for (const one of await Promise.all(run.map(read))) {
      if ("file" in one) found.push(one);
      else unreadable.push(one);
    }
    if (found.length >= AT_ONCE) {
      yield found;
      found = [];
    }
  }
  if (found.length > 0) yield found;
  return unreadable;
}

/** Yield the files that were picked, in groups. */
export async function* picked(
  files: FileList | readonly File[],
): AsyncGenerator<Found[], Unreadable[]> {
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const group: Found[] = [];
    for (let index = start; index < Math.min(start + AT_ONCE, files.length); index += 1) {
      const file = files[index];
      if (file === undefined) continue;
      group.push({ path: (file.webkitRelativePath || file.name).normalize("NFC"), file });
    }
    yield group;
    await breathe();
  }
  return [];
}

/** Return what an error of the file system means for a person. */
export function whyOf(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotFoundError") return "it was moved or deleted";
  if (name === "NotReadableError") return "it can't be read, or it changed since it was chosen";
  if (name === "SecurityError") return "the browser may not read it";
  return error instanceof Error ? error.message : String(error);
}

function isDirectory(entry: Entry): entry is DirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: Entry): entry is FileEntry {
  return entry.isFile;
}

function fileOf(entry: FileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function read({ entry, path }: Place): Promise<Found | Unreadable> {
  try {
    if (!isFile(entry)) throw new Error("it is neither a file nor a folder");
    return { path: path.normalize("NFC"), file: await fileOf(entry) };
  } catch (error) {
    return { path, why: whyOf(error) };
  }
}

/** Return what lies directly in a directory, the last by name first. */
async function placesIn(directory: DirectoryEntry, path: string): Promise<Place[]> {
  return (await contents(directory))
    .map((entry) => ({ entry, path: `${path}/${entry.name}` }))
    .sort((one, other) => (one.path < other.path ? 1 : -1));
}

/** Return all that a directory holds: a reader tells a hundred at a time, then nothing. */
async function contents(directory: DirectoryEntry): Promise<Entry[]> {
  const reader = directory.createReader();
  const all: Entry[] = [];
  for (;;) {
    const some = await new Promise<Entry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
