// The panel as a widget of JupyterLab: asks the registry while it is in sight.

import { LabIcon } from "@jupyterlab/ui-components";
import { Widget } from "@lumino/widgets";
import { followTheme } from "../logic/theme";
import type { Acts } from "./acts";
import type { Following } from "./following";
import mark from "./mark.svg";
import { showPanel } from "./panel";
import css from "./panel.css";

export class SidePanel extends Widget {
  /** What gets the focus when the panel is activated next. */
  wanted: "search" | "list" = "list";

  constructor(
    private readonly acts: Acts,
    private readonly following: Following,
  ) {
    super();
    this.id = "pressmark-panel";
    this.title.icon = new LabIcon({ name: "pressmark:mark", svgstr: mark });
    this.title.caption = "Pressmark: the registry's prompts";
    this.addClass("pm-side");
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    const root = document.createElement("div");
    root.className = "pm-root pm-side-root";
    this.node.append(root);
    followTheme(root);
    showPanel(root, acts);
    // A page in the background asks nothing.
    document.addEventListener("visibilitychange", () => this.follow());
  }

  protected override onAfterShow(): void {
    this.follow();
  }

  protected override onAfterHide(): void {
    this.follow();
  }

  protected override onActivateRequest(): void {
    this.acts.focus(this.wanted);
    this.wanted = "list";
  }

  private follow(): void {
    if (this.isVisible && !document.hidden) this.following.start();
    else this.following.stop();
  }
}
