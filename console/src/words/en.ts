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
  deliver: {},
  batch: {},
  documents: {},
  operate: {},
};
