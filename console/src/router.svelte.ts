/** Which page is shown: the address bar, read as one of our routes. */

export type ProjectView = "deliver" | "deliveries" | "documents";

export type Route =
  | { name: "projects" }
  | { name: "project"; project: string; view: ProjectView }
  | { name: "document"; document: string }
  | { name: "delivery"; batch: string }
  | { name: "operate" }
  | { name: "welcome" }
  | { name: "nowhere" };

const VIEWS: readonly string[] = ["deliveries", "documents"] satisfies ProjectView[];

/** Return the route of a path; `nowhere` for one that is not ours. */
export function routeOf(pathname: string): Route {
  const [area, id, view, ...more] = pathname.split("/").filter((piece) => piece !== "");
  if (area === undefined) return { name: "projects" };
  if (more.length > 0) return { name: "nowhere" };
  if (area === "projects" && id !== undefined) {
    if (view === undefined) return { name: "project", project: id, view: "deliver" };
    // The list above holds nothing but views.
    if (VIEWS.includes(view)) return { name: "project", project: id, view: view as ProjectView };
    return { name: "nowhere" };
  }
  if (view !== undefined) return { name: "nowhere" };
  if (area === "documents" && id !== undefined) return { name: "document", document: id };
  if (area === "deliveries" && id !== undefined) return { name: "delivery", batch: id };
  if (id !== undefined) return { name: "nowhere" };
  if (area === "operate" || area === "welcome") return { name: area };
  return { name: "nowhere" };
}

class Router {
  #url = $state.raw(new URL(location.href));
  readonly route: Route = $derived(routeOf(this.#url.pathname));
  readonly query: URLSearchParams = $derived(this.#url.searchParams);

  constructor() {
    addEventListener("popstate", () => {
      this.#url = new URL(location.href);
    });
    document.addEventListener("click", (event) => this.#follow(event));
  }

  /** Show another page, as a step that the back button undoes. */
  go(path: string): void {
    history.pushState(null, "", path);
    this.#url = new URL(location.href);
    scrollTo(0, 0);
  }

  /** Show another page in place of this one. */
  replace(path: string): void {
    history.replaceState(null, "", path);
    this.#url = new URL(location.href);
  }

  /** Take a plain click on one of our own links ourselves; leave every other to the browser. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.target !== "" || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || routeOf(link.pathname).name === "nowhere") return;
    if (link.hash !== "") return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
