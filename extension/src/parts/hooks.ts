import { createContext } from "preact";
import { useCallback, useContext, useEffect, useReducer, useRef, useState } from "preact/hooks";
import { CommandError, type Host } from "../host";
import type { Commands, Told, Traits } from "../model";

export const HostContext = createContext<Host>(null as unknown as Host);

/** How wide the workbench is drawn, for what a style sheet alone cannot decide. */
export const WidthContext = createContext(0);

export function useHost(): Host {
  return useContext(HostContext);
}

/** A trait's value, drawn anew when it changes. */
export function useTrait<K extends keyof Traits>(trait: K): Traits[K] {
  const host = useHost();
  const [, again] = useReducer((n: number, _: null) => n + 1, 0);
  useEffect(() => {
    again(null);
    return host.watch([trait], () => again(null));
  }, [host, trait]);
  return host.get(trait);
}

export function toldOf(error: unknown): Told {
  if (error instanceof CommandError) return error.told;
  return { message: `The page stumbled: ${String(error)}. Reload it and try again.`, kind: "page" };
}

export interface Act<A extends unknown[], V> {
  /** Whether the command is under way. */
  busy: boolean;
  error: Told | null;
  value: V | null;
  /** Resolves to null where it failed; `error` says why. */
  run(...args: A): Promise<{ value: V } | null>;
  clear(): void;
}

/** A command with its progress and outcome, for a button to show. */
export function useAct<K extends keyof Commands>(
  command: K,
): Act<[Commands[K]["args"]], Commands[K]["value"]> {
  const host = useHost();
  const [state, set] = useState<{ busy: boolean; error: Told | null; value: Commands[K]["value"] | null }>({
    busy: false,
    error: null,
    value: null,
  });
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const run = useCallback(
    async (args: Commands[K]["args"]) => {
      set({ busy: true, error: null, value: null });
      try {
        const value = await host.call(command, args);
        if (alive.current) set({ busy: false, error: null, value });
        return { value };
      } catch (error) {
        if (alive.current) set({ busy: false, error: toldOf(error), value: null });
        return null;
      }
    },
    [host, command],
  );
  const clear = useCallback(() => set({ busy: false, error: null, value: null }), []);
  return { ...state, run, clear };
}

/** Draws again every so often, for times that are told relative to now. */
export function useTicks(milliseconds: number): void {
  const [, again] = useReducer((n: number, _: null) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => again(null), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}

/** The element's width, kept right. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, set] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  const attach = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(([entry]) => {
      const box = entry?.borderBoxSize[0];
      if (box) set(Math.round(box.inlineSize));
    });
    observer.current.observe(element);
    set(Math.round(element.getBoundingClientRect().width));
  }, []);
  return [attach, width];
}

// Several views on one page have a module each, which all count from one: what tells them apart is drawn.
const module = Math.random().toString(36).slice(2);
/** An element's largest width so far in the space that there is: what changes its words moves nothing beside it. */
export function useWidest(): [(element: HTMLElement | null) => void, number] {
  const space = useContext(WidthContext);
  const [attach, width] = useWidth();
  const widest = useRef({ space, width: 0 });
  if (widest.current.space !== space) widest.current = { space, width: 0 };
  widest.current.width = Math.max(widest.current.width, width);
  return [attach, widest.current.width];
}

let numbers = 0;

/** An id that is unique on the page, to tie labels to fields. */
export function useName(prefix: string): string {
  const [name] = useState(() => {
    numbers += 1;
    return `pm-${prefix}-${module}-${numbers}`;
  });
  return name;
}
