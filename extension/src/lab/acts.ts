// What the panel and the palette can do, and what they both look at: which prompt is selected, which is open.

import { readingCode, workbenchCell } from "./cells";
import type { Following } from "./following";
import { type History, type Prompt, readBy, type Sight, usual } from "./model";
import type { Notebooks } from "./notebooks";
import { type Source, SourceError } from "./source";

export interface Settings {
  poll: number;
  label: string;
  workspace: string;
}

export const DEFAULTS: Settings = { poll: 5, label: "production", workspace: "prompts.duckdb" };

export interface Outcome {
  kind: "done" | "error" | "plain";
  message: string;
  hint: string;
}

type Asked = "search" | "list";

export class Acts {
  settings: Settings = DEFAULTS;
  selected: string | null = null;
  /** The prompt whose page is open. */
  opened: string | null = null;
  /** How the last act went. */
  outcome: Outcome | null = null;
  private readonly listeners = new Set<() => void>();
  private asked: ((what: Asked) => void) | null = null;

  constructor(
    private readonly following: Following,
    private readonly source: Source,
    private readonly notebooks: Notebooks,
  ) {
    following.watch(() => this.tell());
  }

  get sight(): Sight {
    return this.following.sight;
  }

  /** The selected prompt, where there is one to act on. */
  get prompt(): Prompt | null {
    const name = this.opened ?? this.selected;
    return this.sight.prompts?.find((each) => each.name === name) ?? null;
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The page says how it brings the focus to what was asked for. */
  whenAsked(bring: (what: Asked) => void): () => void {
    this.asked = bring;
    return () => {
      this.asked = null;
    };
  }

  focus(what: Asked): void {
    if (what === "search") this.close();
    requestAnimationFrame(() => this.asked?.(what));
  }

  use(settings: Settings): void {
    this.settings = settings;
    this.following.every(settings.poll);
    this.tell();
  }

  select(name: string | null): void {
    if (this.selected === name) return;
    this.selected = name;
    this.tell();
  }

  open(name: string): void {
    this.selected = name;
    this.opened = name;
    this.outcome = null;
    this.tell();
  }

  close(): void {
    this.opened = null;
    this.outcome = null;
    this.tell();
  }

  look(): Promise<void> {
    return this.following.look();
  }

  versions(name: string): Promise<History> {
    return this.source.versions(name);
  }

  /** Inserts a cell that brings a version into the workspace and shows the workbench, and runs it. */
  async openInWorkbench(prompt: Prompt, version?: string): Promise<void> {
    await this.tried(async () => {
      const source = workbenchCell({
        prompt: prompt.name,
        version: version ?? usual(prompt, this.settings.label),
        workspace: this.notebooks.workspace() ?? this.settings.workspace,
        address: this.address,
      });
      const panel = await this.notebooks.insert(source);
      this.say({ kind: "plain", message: `The cell runs in ${panel.context.path}…`, hint: "" });
      if (await this.notebooks.run(panel)) return `The workbench is open in ${panel.context.path}`;
      throw new SourceError({
        message: `The cell in ${panel.context.path} ended with an error`,
        hint: "What it says stands below the cell",
      });
    });
  }

  /** Inserts the lines with which a service reads the prompt; they are not run. */
  async insertCode(prompt: Prompt, version?: string): Promise<void> {
    await this.tried(async () => {
      const label = readBy(prompt, version ?? usual(prompt, this.settings.label), this.settings.label);
      if (label === null)
        throw new SourceError({
          message: `${prompt.name} has no label yet, and services read a label`,
          hint: "Move one to a version first, in the workbench under Publish",
        });
      const history = await this.versions(prompt.name);
      const held = history.labels.find((pointer) => pointer.label === label)?.version;
      const read = history.versions.find((each) => each.version === held);
      const code = readingCode({
        prompt: prompt.name,
        label,
        variables: read?.variables ?? [],
        address: this.address,
      });
      const panel = await this.notebooks.insert(code);
      return `The code stands in ${panel.context.path}; it reads ${label}`;
    });
  }

  dismiss(): void {
    this.say(null);
  }

  private get address(): string | null {
    return this.sight.inEnvironment ? null : this.sight.where;
  }

  private async tried(act: () => Promise<string>): Promise<void> {
    this.say(null);
    try {
      this.say({ kind: "done", message: await act(), hint: "" });
    } catch (error) {
      const told = error instanceof SourceError ? error.fault : null;
      const message = told?.message ?? (error instanceof Error ? error.message : String(error));
      this.say({ kind: "error", message, hint: told?.hint ?? "" });
    }
  }

  private say(outcome: Outcome | null): void {
    this.outcome = outcome;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
