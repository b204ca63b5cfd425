/** Who is signed in, and what they may do. */

import type { Me } from "@laydown/upload";
import { api, ApiError } from "./http";

export type Ways = { link: boolean; provider: boolean };

type Standing = "asking" | "in" | "out" | "unreachable";

class Session {
  standing = $state<Standing>("asking");
  me = $state.raw<Me | null>(null);

  constructor() {
    api.onSignedOut = () => {
      if (this.standing === "in") this.standing = "out";
    };
  }

  /** Ask who is signed in. */
  async load(): Promise<void> {
    try {
      this.#enter(await api.get<Me>("/v1/me"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.standing = error.status === 401 ? "out" : "unreachable";
    }
  }

  /** Sign in with the code of a one-time link; raise `ApiError` for one that doesn't hold. */
  async signIn(code: string): Promise<void> {
    this.#enter(await api.post<Me>("/v1/sessions", { code }));
  }

  async signOut(): Promise<void> {
    await api.delete("/v1/sessions/current");
    this.me = null;
    api.csrf = null;
    this.standing = "out";
  }

  /** Say whether an act is allowed: in a project, or in the whole organization. */
  may(act: string, project?: string): boolean {
    if (this.me === null) return false;
    if (this.me.may.includes(act)) return true;
    return project !== undefined && (this.me.projects[project]?.includes(act) ?? false);
  }

  #enter(me: Me): void {
    this.me = me;
    api.csrf = me.csrf ?? null;
    this.standing = "in";
  }
}

export const session = new Session();
