// What the side panel uses of JupyterLab, and no more: its packages bring 330 MB and are never bundled, since JupyterLab
// hands its own modules to an extension (shared.ts). tests/sidepanel holds this against the JupyterLab that is installed.

declare module "@lumino/widgets" {
  export class Widget {
    id: string;
    readonly node: HTMLElement;
    readonly isVisible: boolean;
    readonly title: { icon: unknown; caption: string; label: string };
    addClass(name: string): void;
    dispose(): void;
    protected onAfterShow(message: unknown): void;
    protected onAfterHide(message: unknown): void;
    protected onActivateRequest(message: unknown): void;
  }
}

declare module "@jupyterlab/application" {
  import type { ServerConnection } from "@jupyterlab/services";
  import type { Widget } from "@lumino/widgets";

  export interface CommandOptions {
    label: string;
    caption?: string;
    isEnabled?: () => boolean;
    execute: () => unknown;
  }
  export interface JupyterFrontEnd {
    readonly commands: {
      addCommand(id: string, options: CommandOptions): unknown;
      execute(id: string, args?: Record<string, unknown>): Promise<unknown>;
      notifyCommandChanged(id?: string): void;
    };
    readonly shell: {
      add(widget: Widget, area: "left", options: { rank: number }): void;
      activateById(id: string): void;
    };
    readonly serviceManager: {
      readonly serverSettings: ServerConnection.ISettings;
      readonly kernelspecs: {
        readonly ready: Promise<void>;
        readonly specs: {
          readonly default: string;
          readonly kernelspecs: Record<string, { readonly language: string } | undefined>;
        } | null;
      };
    };
  }
  export interface JupyterFrontEndPlugin<T> {
    id: string;
    description: string;
    autoStart: boolean;
    requires: unknown[];
    optional: unknown[];
    // Its further arguments are what it requires and may have, in that order.
    // biome-ignore lint/suspicious/noExplicitAny: JupyterLab's own signature
    activate: (app: JupyterFrontEnd, ...services: any[]) => T;
  }
  export interface ILayoutRestorer {
    add(widget: Widget, name: string): void;
  }
  export const ILayoutRestorer: unknown;
}

declare module "@jupyterlab/apputils" {
  export interface ICommandPalette {
    addItem(item: { command: string; category: string }): unknown;
  }
  export const ICommandPalette: unknown;
}

declare module "@jupyterlab/notebook" {
  import type { Widget } from "@lumino/widgets";

  export interface CellModel {
    readonly type: string;
    readonly sharedModel: { getSource(): string; setSource(text: string): void };
  }
  export interface Notebook {
    readonly model: {
      readonly defaultKernelLanguage: string;
      readonly readOnly: boolean;
      readonly cells: Iterable<CellModel>;
    } | null;
    readonly activeCell: { readonly model: CellModel } | null;
    deselectAll(): void;
  }
  export interface NotebookPanel extends Widget {
    readonly content: Notebook;
    readonly context: { readonly path: string; readonly ready: Promise<void> };
    readonly sessionContext: { readonly ready: Promise<void> };
  }
  export interface INotebookTracker {
    readonly currentWidget: NotebookPanel | null;
  }
  export const INotebookTracker: unknown;
  export const NotebookActions: {
    insertBelow(notebook: Notebook): void;
    run(notebook: Notebook, session: NotebookPanel["sessionContext"]): Promise<boolean>;
  };
}

declare module "@jupyterlab/services" {
  export namespace ServerConnection {
    interface ISettings {
      readonly baseUrl: string;
    }
    /** Sends what Jupyter's own authentication wants, and refuses other hosts. */
    function makeRequest(url: string, init: RequestInit, settings: ISettings): Promise<Response>;
  }
}

declare module "@jupyterlab/settingregistry" {
  export interface ISettingRegistry {
    load(plugin: string): Promise<{
      readonly composite: Record<string, unknown>;
      readonly changed: { connect(slot: () => void): void };
    }>;
  }
  export const ISettingRegistry: unknown;
}

declare module "@jupyterlab/ui-components" {
  export class LabIcon {
    constructor(options: { name: string; svgstr: string });
  }
}
