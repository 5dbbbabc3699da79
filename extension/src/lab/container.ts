// The door by which JupyterLab takes a prebuilt extension in: a module federation container of one module.

import { fetchShared, type Scope } from "./shared";

declare global {
  interface Window {
    _JUPYTERLAB: Record<string, unknown>;
  }
}

let scope: Scope = {};

window._JUPYTERLAB = window._JUPYTERLAB ?? {};
window._JUPYTERLAB.pressmark = {
  init(given: Scope) {
    scope = given;
  },
  async get(module: string) {
    if (module !== "./extension") throw new Error(`Pressmark's panel has no module ${module}`);
    await fetchShared(scope);
    const { default: plugin } = await import("./plugin");
    return () => plugin;
  },
};
