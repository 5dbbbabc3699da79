// Puts cells into notebooks.

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { type INotebookTracker, NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { workspaceIn } from "./cells";

export class Notebooks {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
  ) {}

  /** The workspace file that the notebook in use opens, or null. */
  workspace(): string | null {
    const notebook = this.current();
    const cells = [...(notebook?.content.model?.cells ?? [])].filter((cell) => cell.type === "code");
    return workspaceIn(cells.map((cell) => cell.sharedModel.getSource()));
  }

  /** Inserts a cell below the active one of the notebook in use, or into a new one; returns where. */
  async insert(source: string): Promise<NotebookPanel> {
    const panel = this.current() ?? (await this.create());
    await panel.context.ready;
    const { content } = panel;
    const active = content.activeCell?.model;
    if (active?.type === "code" && !active.sharedModel.getSource().trim()) content.deselectAll();
    else NotebookActions.insertBelow(content);
    content.activeCell?.model.sharedModel.setSource(source);
    this.app.shell.activateById(panel.id);
    return panel;
  }

  /** Runs the active cell; false where it ended with an error. */
  async run(panel: NotebookPanel): Promise<boolean> {
    await panel.sessionContext.ready;
    return NotebookActions.run(panel.content, panel.sessionContext);
  }

  private current(): NotebookPanel | null {
    const panel = this.tracker.currentWidget;
    const model = panel?.content.model;
    const python = /^(i?python[23]?)?$/.test(model?.defaultKernelLanguage ?? "");
    return panel && model && python && !model.readOnly ? panel : null;
  }

  private async create(): Promise<NotebookPanel> {
    const { kernelspecs } = this.app.serviceManager;
    await kernelspecs.ready;
    const known = kernelspecs.specs?.kernelspecs ?? {};
    const usual = kernelspecs.specs?.default ?? "";
    const python = [usual, ...Object.keys(known)].find((name) => known[name]?.language === "python");
    if (!python) throw new Error("There is no Python kernel: install ipykernel, then try again");
    const made = await this.app.commands.execute("notebook:create-new", { kernelName: python });
    if (!made) throw new Error("JupyterLab made no notebook: its own message says why");
    return made as NotebookPanel;
  }
}
