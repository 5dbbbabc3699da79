// The plugin: a panel in the left bar, commands in the palette, settings.

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Acts, DEFAULTS } from "./acts";
import { Following } from "./following";
import { Notebooks } from "./notebooks";
import { SidePanel } from "./sidepanel";
import { Source } from "./source";

const ID = "pressmark:panel";

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "The registry's prompts in the left side bar.",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ISettingRegistry, ILayoutRestorer],
  activate(
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
  ) {
    const source = new Source(app.serviceManager.serverSettings);
    const following = new Following((position) => source.state(position), DEFAULTS.poll);
    const acts = new Acts(following, source, new Notebooks(app, tracker));
    const panel = new SidePanel(acts, following);
    app.shell.add(panel, "left", { rank: 450 });
    restorer?.add(panel, panel.id);
    addCommands(app, palette, acts, panel);
    if (settings) void follow(settings, acts);
  },
};

export default plugin;

function addCommands(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  acts: Acts,
  panel: SidePanel,
): void {
  const show = (what: "search" | "list") => {
    panel.wanted = what;
    app.shell.activateById(panel.id);
  };
  const commands: [string, string, () => unknown, boolean][] = [
    ["pressmark:show", "Show the Registry's Prompts", () => show("list"), false],
    ["pressmark:search", "Search Prompts", () => show("search"), false],
    ["pressmark:refresh", "Ask the Registry Again", () => acts.look(), false],
    [
      "pressmark:open-in-workbench",
      "Open the Selected Prompt in the Workbench",
      () => acts.prompt && acts.openInWorkbench(acts.prompt),
      true,
    ],
    [
      "pressmark:insert-code",
      "Insert Code to Read the Selected Prompt in Production",
      () => acts.prompt && acts.insertCode(acts.prompt),
      true,
    ],
  ];
  for (const [id, label, execute, needsPrompt] of commands) {
    app.commands.addCommand(id, { label, execute, isEnabled: () => !needsPrompt || acts.prompt !== null });
    palette?.addItem({ command: id, category: "Pressmark" });
  }
  let named: string | undefined;
  acts.watch(() => {
    if (acts.prompt?.name === named) return;
    named = acts.prompt?.name;
    app.commands.notifyCommandChanged("pressmark:open-in-workbench");
    app.commands.notifyCommandChanged("pressmark:insert-code");
  });
}

async function follow(registry: ISettingRegistry, acts: Acts): Promise<void> {
  // Where a setting cannot be read, Jupyter says so itself and the defaults stay.
  const found = await registry.load(ID).catch(() => null);
  if (!found) return;
  const use = () => acts.use({ ...DEFAULTS, ...found.composite });
  use();
  found.changed.connect(use);
}
