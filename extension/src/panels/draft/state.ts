import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Host } from "../../host";
import { absentFrom } from "../../logic/columns";
import type { CheckError, Told, UnitBody } from "../../model";
import { toldOf, useTrait } from "../../parts/hooks";

export const TYPING_PAUSE = 200;

export interface Draft {
  name: string;
  body: UnitBody | null;
  base: string | null;
  savedAt: string | null;
  /** Whether it differs from the version that it was begun from. */
  unsaved: boolean;
  /** A change message made from what changed. */
  proposal: string;
  /** Whether something typed has not reached Python yet. */
  waiting: boolean;
  /** Counts the times that another hand changed the body, so that editors take it over. */
  revision: number;
  failed: Told | null;
  edit(change: Partial<UnitBody>): void;
  flush(): void;
}

let views = 0;
export const viewId = () => {
  views += 1;
  return `view-${Date.now().toString(36)}-${views}`;
};

/** The draft as this page has it: what is typed counts at once, and goes to Python when the typing pauses. */
export function useDraft(host: Host, view: string): Draft {
  const [, again] = useState(0);
  const kept = useRef({
    name: "",
    body: null as UnitBody | null,
    base: null as string | null,
    savedAt: null as string | null,
    unsaved: false,
    proposal: "",
    revision: 0,
    seen: -1,
    failed: null as Told | null,
  });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const underWay = useRef(0);

  const send = useCallback(async () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const { name, body, base } = kept.current;
    if (!body) return;
    underWay.current += 1;
    try {
      await host.call("edit", { view, name, body, base });
      kept.current.failed = null;
    } catch (error) {
      kept.current.failed = toldOf(error);
    } finally {
      underWay.current -= 1;
      again((n) => n + 1);
    }
  }, [host, view]);

  const take = useCallback(() => {
    const trait = host.get("state_draft");
    if (!trait.ready || trait.body === undefined) return;
    const mine = kept.current;
    const own = trait.by === view && trait.name === mine.name && mine.body !== null;
    if (!own && trait.revision !== mine.seen) {
      // What was typed in the last moment belongs to the prompt that is being left: it is kept, not dropped.
      if (trait.name !== mine.name && timer.current !== undefined) void send();
      if (timer.current === undefined) {
        mine.body = trait.body;
        mine.name = trait.name ?? "";
        mine.revision += 1;
      }
    }
    mine.seen = trait.revision ?? -1;
    mine.base = trait.base ?? null;
    mine.savedAt = trait.saved_at ?? null;
    mine.unsaved = trait.unsaved ?? false;
    mine.proposal = trait.proposal ?? "";
    again((n) => n + 1);
  }, [host, view, send]);

  useEffect(() => {
    take();
    const end = host.watch(["state_draft"], take);
    return () => {
      end();
      // What was typed in the last moment is not lost with the page.
      if (timer.current !== undefined) void send();
    };
  }, [host, take, send]);

  const edit = useCallback(
    (change: Partial<UnitBody>) => {
      const mine = kept.current;
      if (!mine.body) return;
      mine.body = { ...mine.body, ...change };
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void send(), TYPING_PAUSE);
      again((n) => n + 1);
    },
    [send],
  );

  const flush = useCallback(() => {
    if (timer.current !== undefined) void send();
  }, [send]);

  const { name, body, base, savedAt, unsaved, proposal, revision, failed } = kept.current;
  const waiting = timer.current !== undefined || underWay.current > 0;
  return {
    name,
    body,
    base,
    savedAt,
    unsaved: unsaved || waiting,
    proposal,
    waiting,
    revision,
    failed,
    edit,
    flush,
  };
}

/** The errors that belong to one part of the draft. */
export function at(errors: readonly CheckError[] | undefined, where: string): CheckError[] {
  return (errors ?? []).filter((error) => error.where === where);
}

/** The variables that a caller must give and that the dataset of the preview has no column for. */
export function useAbsent(): string[] {
  const check = useTrait("state_check");
  const preview = useTrait("state_preview");
  const catalog = useTrait("state_catalog");
  return absentFrom(
    check.variables ?? [],
    catalog.datasets?.find((each) => each.name === preview.dataset),
  );
}
