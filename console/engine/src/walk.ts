/** Finding the files in what was dropped or picked. */

import { breathe } from "./backoff";
import type { Found, Unreadable } from "./types";

const AT_ONCE = 500; // files told together

/** The part of the File and Directory Entries API that we use. */
type Entry = Pick<FileSystemEntry, "isFile" | "isDirectory" | "name">;
type FileEntry = Entry & Pick<FileSystemFileEntry, "file">;
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
    const { entry, path } = next;
    try {
      if (isDirectory(entry)) {
        const children = await contents(entry);
        waiting.push(
          ...children
            .map((child) => ({ entry: child, path: `${path}/${child.name}` }))
            .sort((one, other) => (one.path < other.path ? 1 : -1)),
        );
      } else if (isFile(entry)) {
        found.push({ path: path.normalize("NFC"), file: await fileOf(entry) });
      }
    } catch (error) {
      unreadable.push({ path, why: whyOf(error) });
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
