// The only file that talks to the widget's model; panels see a Host and know nothing of Jupyter.
import type { Commands, Told, Traits } from "./model";

/** What anywidget hands to a view, as far as it is used here. */
export interface WidgetModel {
  get(name: string): unknown;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback?: ((...args: never[]) => void) | null): void;
  send(content: unknown): void;
}

/** A command that failed, with what Python told about it. */
export class CommandError extends Error {
  constructor(readonly told: Told) {
    super(told.message);
  }
}

export interface Host {
  get<K extends keyof Traits>(trait: K): Traits[K];
  watch(traits: readonly (keyof Traits)[], changed: () => void): () => void;
  call<K extends keyof Commands>(command: K, args: Commands[K]["args"]): Promise<Commands[K]["value"]>;
  /** Whether the kernel has not answered for a while, although it was asked. */
  readonly silent: boolean;
  /** Tells when `silent` changes. */
  watchSilence(changed: () => void): () => void;
  close(): void;
}

/** After so long without a word, where one is waited for, the kernel is asked whether it is there. */
const PATIENCE = 4000;

const GONE: Told = {
  message: "The kernel is gone, so this was not done.",
  hint: "Start it again, and run the notebook's cells.",
  kind: "kernel",
};

interface Waiting {
  resolve(value: unknown): void;
  reject(error: CommandError): void;
}

export function hostOf(model: WidgetModel): Host {
  const waiting = new Map<string, Waiting>();
  // Several views share one model and all hear every reply, so an id says whose it is.
  const mine = Math.random().toString(36).slice(2);
  let last = 0;

  const received = (content: { kind?: string; id?: string; ok?: boolean; value?: unknown; error?: Told }) => {
    if (content?.kind !== "reply" || content.id === undefined) return;
    const asked = waiting.get(content.id);
    if (!asked) return;
    waiting.delete(content.id);
    if (content.ok) asked.resolve(content.value);
    else asked.reject(new CommandError(content.error ?? { message: "The kernel told no reason.", kind: "" }));
  };
  model.on("msg:custom", received as (...args: never[]) => void);

  // Nothing tells a view that its kernel was restarted: it stands there as before, and nobody answers.
  let silent = false;
  let heard = Date.now();
  let pinged: number | null = null;
  const watching = new Set<() => void>();
  const listen = () => {
    heard = Date.now();
    pinged = null;
    tell(false);
  };
  const tell = (now: boolean) => {
    if (silent === now) return;
    silent = now;
    for (const changed of watching) changed();
  };
  const running = () => (model.get("state_run") as Traits["state_run"])?.progress?.status === "running";
  const look = () => {
    const now = Date.now();
    if (pinged !== null) tell(now - pinged > PATIENCE);
    // A kernel that has nothing to do is left alone: a server may end it when it is idle.
    else if (now - heard > PATIENCE && (waiting.size > 0 || running())) {
      pinged = now;
      call("ping", {}).catch(() => undefined);
    }
  };
  const call: Host["call"] = (command, args) => {
    if (waiting.size === 0 && !running()) heard = Date.now();
    last += 1;
    const id = `${mine}.${last}`;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      try {
        model.send({ kind: "command", id, command, args });
      } catch {
        // The line of a kernel that was shut down takes nothing any more.
        waiting.delete(id);
        tell(true);
        reject(new CommandError(GONE));
      }
    });
  };
  model.on("msg:custom", listen);
  model.on("change:state_run", listen);
  const timer = setInterval(look, PATIENCE / 4);

  return {
    get silent() {
      return silent;
    },
    watchSilence(changed) {
      watching.add(changed);
      return () => watching.delete(changed);
    },
    get: (trait) => model.get(trait) as never,
    watch(traits, changed) {
      const callback = () => changed();
      for (const trait of traits) model.on(`change:${trait}`, callback);
      return () => {
        for (const trait of traits) model.off(`change:${trait}`, callback);
      };
    },
    call,
    close() {
      clearInterval(timer);
      model.off("change:state_run", listen);
      model.off("msg:custom", listen);
      model.off("msg:custom", received as (...args: never[]) => void);
      waiting.clear();
    },
  };
}
