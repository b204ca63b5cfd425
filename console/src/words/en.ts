/** Everything the page says, in English. */

import { count } from "../parts/format";

/** Return a number with its noun: "1 file", "2 files". */
export function many(value: number, one: string, several = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : several}`;
}

export const words = {
  app: {
    name: "laydown",
    skip: "Skip to the content",
    menu: "Main",
    projects: "Projects",
    operate: "Operations",
    signOut: "Sign out",
    signedIn: (name: string, organization: string) => `${name}, ${organization}`,
    loading: "Loading…",
    again: "Try again",
    cancel: "Cancel",
    close: "Close",
    unreachable: "The server can't be reached.",
    unreachableHint: "It may be restarting. This page looks again by itself.",
    nowhere: "There is no such page.",
    notFound: "This doesn't exist, or you may not see it.",
    home: "Go to your projects",
    more: "Show more",
  },
  state: {
    declared: "Waiting for bytes",
    receiving: "Arriving",
    sealing: "Putting together",
    checking: "Being checked",
    processing: "Being filed",
    ready: "Ready",
    duplicate: "Already here",
    skipped: "Skipped",
    rejected: "Refused",
    cancelled: "Cancelled",
    expired: "Never arrived",
    failed: "Failed",
  },
  welcome: {
    title: "Sign in",
    code: "Code from your sign-in link",
    submit: "Sign in",
    byLink: "Follow the link that laydown printed when it started, or paste it here.",
    again: "A link works once. Whoever runs laydown gets a new one with:",
    command: "laydown organization sign-in",
    provider: "Sign in with your organization",
    used: "This sign-in link doesn't hold: it was used before, or it is too old.",
    failed: "Signing in did not work.",
  },
  projects: {
    title: "Projects",
    none: "There is no project yet.",
    noneHint: "A delivery always goes to a project. Make the first one.",
    nonePermission: "You take part in no project. Ask whoever manages them.",
    make: "New project",
    code: "Code",
    codeHint: "Short, and used in commands: TOWER-B",
    name: "Name",
    nameHint: "What people call it",
    create: "Make project",
    search: "Find a project",
    noMatch: "No project matches.",
    since: (time: string) => `since ${time}`,
  },
  project: {
    views: "Project",
    deliver: "Deliver",
    deliveries: "Deliveries",
    documents: "Documents",
  },
  deliver: {
    drop: "Drop a folder here",
    dropHint:
      "Or any number of files and folders. Nothing is sent before you have seen what it is.",
    pickHint: "Nothing is sent before you have seen what it is.",
    pick: "Choose what to deliver",
    dropNow: "Let go, and it is looked at",
    folder: "Choose a folder",
    files: "Choose files",
    reading: (files: number) => `${many(files, "file")} found so far…`,
    stop: "Stop",
    empty: "There are no files in it.",
    emptyUnreadable: (items: number) =>
      `There is nothing to send: ${many(items, "item")} can't be read.`,
    tooMany: (most: number) =>
      `These are more than ${count(most)} files, the most that one delivery takes. ` +
      "Drop its folders one after the other.",
    busy: (label: string) =>
      `“${label}” is being sent, and a tab sends one delivery at a time. ` +
      "It goes on while you look at other pages; when it has been sent, drop the next one here.",
    busyLink: "Look at it",
    waiting: (label: string) => `“${label}” was looked at, and waits to be sent or discarded.`,
    waitingLink: "Go to it",

    labelOf: (tops: readonly string[]) =>
      tops.length <= 2
        ? tops.join(", ")
        : `${tops.slice(0, 2).join(", ")} and ${count(tops.length - 2)} more`,
    review: (files: number, size: string) => `${many(files, "file")}, ${size}`,
    reviewIn: "What will become of it",
    label: "Name of this delivery",
    conflict: "When a document is already there",
    conflicts: {
      new_version: "Add a new version",
      skip: "Leave what is there",
      reject: "Refuse the file",
    },
    kinds: {
      new: "New",
      new_version: "New version",
      present: "Already here",
      skipped: "Skipped",
      refused: "Refused",
      unknown: "Not looked at yet",
      unreadable: "Unreadable",
    },
    kindHints: {
      new: "not there yet",
      new_version: "of what is there",
      present: "the same bytes; nothing is sent",
      skipped: "not stored",
      refused: "can't be delivered like this",
      unknown: "the server is being asked",
      unreadable: "on this device",
    },
    tiles: "What the files will be; choose one to see only those",
    comparing: (files: string, of: string, size: string) =>
      `Comparing contents: ${files} of ${of} files, ${size} left to read. Until then a file may ` +
      "turn out to be here already; it is then not sent.",
    compared: "All contents are compared.",
    reasons: "What will not be stored, and why",
    reasonFiles: (files: number) => many(files, "file"),
    search: "Find a file by its path",
    list: "Files of this delivery",
    listed: (shown: number, of: number) =>
      shown === of ? many(of, "file") : `${count(shown)} of ${many(of, "file")}`,
    noneListed: "No file matches.",
    send: (files: number, size: string) => `Send ${many(files, "file")}, ${size}`,
    record: (files: number) =>
      `Record ${many(files, "file")} that ${files === 1 ? "is" : "are"} here already`,
    nothing: "None of these files can be sent.",
    discard: "Discard",
    starting: "Announcing the files to the server…",
    failed: "This can't be sent.",
    lookAgain: "Look at it again",

    sending: {
      reading: "Looking at the files",
      previewing: "Looking at the files",
      ready: "Starting",
      sending: "Sending from this page",
      paused: "Paused",
      offline: "No connection",
      finishing: "Everything is sent; waiting for the server's word",
      done: "Everything is sent",
      cancelled: "Cancelled",
      failed: "Sending stopped",
    },
    progress: "Bytes sent",
    sentOf: (sent: string, all: string) => `${sent} of ${all}`,
    filesOf: (sent: number, all: number) => `${count(sent)} of ${many(all, "file")}`,
    rate: (rate: string) => `${rate} a second`,
    left: (time: string) => `about ${time} left`,
    leftUnknown: "time left not known yet",
    spoken: (share: number, left: string) => `${share} percent sent, ${left}.`,
    pause: "Pause",
    resume: "Go on",
    cancel: "Cancel the delivery",
    cancelAsk: "Cancel this delivery?",
    cancelHint: "What has arrived stays. Nothing more is sent.",
    cancelNo: "Keep sending",
    offline:
      "The server can't be reached. Sending goes on by itself once it can; nothing is lost meanwhile.",
    nothingSent: "No bytes had to be sent: the server has them, or doesn't take them.",
    keepOpen: "Keep this tab open. You may look at other pages in it.",
    doneHint: "You may close this tab: what is left to do, the server does.",
    doneLeft: (files: number) => `${many(files, "file")} could not be sent.`,
    trouble: "What could not be sent",
    troubleMore: (files: number) => `and ${many(files, "more file", "more files")}`,
    bar: (label: string) => `Delivery “${label}”`,
    see: "See every file",
    dismiss: "Dismiss",

    unfinished: "Not finished",
    missing: (missing: number, of: number) =>
      `${count(missing)} of ${many(of, "file")} ${missing === 1 ? "has" : "have"} not arrived.`,
    cutOff: "It was cut off before all its files were announced.",
    again: "Drop the same folder again: only what is missing is sent.",
    elsewhere:
      "Unless they are being sent from another tab or device, drop the same folder here: only what is missing is sent.",
    elsewhereThere:
      "If it is yours, drop the same folder again, here or on its own page: only what is missing is sent.",
    begun: (time: string) => `begun ${time}`,
    unnamed: "Delivery without a name",
  },
  batch: {
    deliveries: "Deliveries",
    of: (project: string) => `Deliveries of ${project}`,
    unnamed: "Delivery",
    totals: "Totals",
    begun: "Begun",
    ended: "closed",
    reference: "Reference",
    state: { open: "Open", closed: "Closed, finishing", settled: "Complete" },
    live: "Live",
    connecting: "Connecting…",
    broken: (time: string) => `Not live since ${time}; connecting again`,
    over: "Final",
    files: (settled: number, declared: number) =>
      `${count(settled)} of ${many(declared, "file")} done`,
    nothing: "No files yet.",
    arrived: (received: string, declared: string) => `${received} of ${declared} arrived`,
    arrivedAll: (received: string) => `${received} arrived`,
    rate: (bytes: string) => `${bytes}/s`,
    left: (time: string) => `about ${time} left`,
    groups: {
      ready: "Ready",
      duplicate: "Already here",
      skipped: "Skipped",
      cancelled: "Cancelled",
      rejected: "Refused",
      expired: "Never arrived",
      failed: "Failed",
      moving: "Under way",
      waiting: "Waiting",
    },
    bar: (parts: string, declared: number) => `${many(declared, "file")}: ${parts}.`,
    legend: "Show only files that are",
    allIn: (declared: number, parts: string) =>
      declared === 1
        ? `The file is in: ${parts}.`
        : `All ${count(declared)} files are in: ${parts}.`,
    notAllIn: (into: number, declared: number, parts: string) =>
      `${count(into)} of ${many(declared, "file")} ${into === 1 ? "is" : "are"} in. Not in: ${parts}.`,
    noneAtAll: "This delivery ended without files.",
    part: (value: number, name: string) => `${count(value)} ${name.toLowerCase()}`,
    problems: (files: number) =>
      files === 1 ? "1 file needs you" : `${count(files)} files need you`,
    todo: "What to do:",
    showFiles: (files: number) => (files === 1 ? "Show the file" : `Show ${count(files)} files`),
    missing: (files: number) =>
      files === 1
        ? "1 file has not arrived yet, and nothing is arriving."
        : `${count(files)} files have not arrived yet, and nothing is arriving.`,
    missingHint: "Drop the same folder again: only what is missing is sent.",
    deliver: "Go to the drop zone",
    actions: "This delivery",
    receipt: "Receipt (CSV)",
    retry: (files: number) => `Try ${many(files, "file")} again`,
    retried: (files: number) =>
      files === 0
        ? "Nothing could be tried again."
        : `${many(files, "file")} tried again. Those that never arrived wait for their bytes: drop the same folder again.`,
    close: "Close the delivery",
    closeHint: "Everything announced has arrived. Closed, it takes no more files.",
    cancel: "Cancel the delivery",
    cancelSure: "Cancel this delivery?",
    cancelText: (files: number) =>
      files === 0
        ? "It takes no more files. What has arrived stays."
        : `${many(files, "file")} that ${files === 1 ? "has" : "have"} not arrived will be taken back. What has arrived stays.`,
    cancelKeep: "Keep it",
    list: "Files",
    search: "Find a file",
    reason: "Reason",
    anyReason: "Any reason",
    all: "Show all",
    shown: (shown: number, all: number) =>
      shown === all ? many(all, "file") : `${count(shown)} of ${many(all, "file")}`,
    reading: (read: number, all: number) =>
      `Reading the list: ${count(read)} of ${many(all, "file")}`,
    noMatch: "No file matches.",
    open: (path: string) => `Details of ${path}`,
    file: {
      size: "Size",
      arrived: "Arrived",
      attempt: "Attempt",
      sha256: "SHA-256",
      sha256Hint: "proven from the bytes that arrived",
      download: "Download",
      document: "Document and versions",
      cancel: "Take this file back",
      happened: "What happened",
      kinds: {
        declared: "Announced",
        promoted: "Must be sent after all: its twin brought no bytes",
        restarted: "Begun anew",
        infected: "Malware was found in it later; nobody can fetch it",
      } as Record<string, string>,
    },
  },
  batches: {
    title: "Deliveries",
    none: "Nothing was delivered yet.",
    noneHint: "Drop a folder under “Deliver”, and it shows up here.",
    done: (settled: number, declared: number) =>
      `${count(settled)} of ${many(declared, "file")} done`,
    problems: (files: number) => many(files, "problem"),
  },
  documents: {
    trail: "Folders",
    all: "All documents",
    search: "Search names and folders",
    none: "No document is here yet. What is delivered and passes every check appears here.",
    empty: "There is nothing in this folder.",
    noMatch: "No document matches.",
    cut: (most: number) => `The first ${count(most)} are shown. Search, or open a folder.`,
    name: "Name",
    kind: "Kind",
    version: "Version",
    size: "Size",
    since: "Filed",
    actions: "Actions",
    folder: "Folder",
    download: "Download",
    infected: "Malware was found in it",
    versions: "Versions",
    numbered: (number: number) => `Version ${number}`,
    current: "current",
    scanned: "Looked through for malware by",
    unscanned: "nobody",
  },
  operate: {},
};
