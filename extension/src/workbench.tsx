// The one module that anywidget loads: draws the workbench into the element it is given.
import { render as draw } from "preact";
import { App } from "./app";
import { hostOf, type WidgetModel } from "./host";
import { followTheme } from "./logic/theme";
import { HostContext } from "./parts/hooks";
import "./styles/workbench.css";

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const root = document.createElement("div");
  root.className = "pm-root";
  el.append(root);
  const host = hostOf(model);
  const endTheme = followTheme(root);
  const endKeys = keepKeys(root);
  const endStill = hideStill(String(model.get("_still") ?? ""));
  draw(
    <HostContext.Provider value={host}>
      <App />
    </HostContext.Provider>,
    root,
  );
  return () => {
    draw(null, root);
    endStill();
    endKeys();
    endTheme();
    host.close();
    root.remove();
  };
}

/**
 * Hides the still picture that a notebook keeps beside the view, for as long as the view lives: a reopened notebook,
 * which has no view, shows the picture.
 */
function hideStill(key: string): () => void {
  const style = document.createElement("style");
  const still = `.pm-still[data-view="${CSS.escape(key)}"]`;
  style.textContent = `${still}, .jp-OutputArea-child:has(${still}) { display: none; }`;
  document.head.append(style);
  return () => style.remove();
}

/**
 * Keeps Jupyter's single-key shortcuts away from the workbench: an arrow or Enter on a row is not meant for the cell.
 * Shortcuts with Control or Command go through, so that saving the notebook works from here too.
 *
 * What has the focus is marked too: Jupyter looks at it before it looks whether something above it is marked, and has
 * shortcuts for whatever has the focus in a cell.
 */
function keepKeys(root: HTMLElement): () => void {
  const name = "data-lm-suppress-shortcuts";
  let focused: Element | null = null;
  const ours = () => {
    root.setAttribute(name, "true");
    focused?.setAttribute(name, "true");
  };
  const theirs = () => {
    root.removeAttribute(name);
    focused?.removeAttribute(name);
  };
  const down = (event: KeyboardEvent) => {
    if (event.key === "Control" || event.key === "Meta") theirs();
  };
  const focus = (event: FocusEvent) => {
    if (focused !== root) focused?.removeAttribute(name);
    focused = event.target as Element;
    ours();
  };
  ours();
  root.addEventListener("focusin", focus);
  window.addEventListener("keydown", down, true);
  window.addEventListener("keyup", ours, true);
  window.addEventListener("blur", ours);
  return () => {
    root.removeEventListener("focusin", focus);
    window.removeEventListener("keydown", down, true);
    window.removeEventListener("keyup", ours, true);
    window.removeEventListener("blur", ours);
  };
}

export default { render };
