import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Host } from "../../host";
import { absentFrom } from "../../logic/columns";
import { stable } from "../../logic/diff";
import { forget, keep, type Left, left } from "../../logic/left";
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
  /** Why what was typed here is not the draft: another hand was quicker. */
  conflict: Told | null;
  /** The other hand's draft, while there is a conflict. */
  theirs: UnitBody | null;
  /** What this browser kept of an earlier page that could not hand it over. */
  left: Left | null;
  keepMine(): void;
  takeTheirs(): void;
  useLeft(): void;
  dropLeft(): void;
  /** Puts another body in place, in the editors too. */
  put(change: Partial<UnitBody>): void;
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
    place: "",
    conflict: null as Told | null,
    theirs: null as UnitBody | null,
    left: null as Left | null,
  });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const underWay = useRef(false);
  const waitingFor = useRef(new Map<string, { body: UnitBody; base: string | null; place: string }>());
  /** By prompt, the count of changes that what is shown here stands on. */
  const counts = useRef(new Map<string, number>());

  /** Hands over what waits, one edit after the other: each says what count of changes it stands on. */
  const pump = useCallback(async () => {
    const mine = kept.current;
    if (underWay.current) return;
    underWay.current = true;
    for (const [name, { body, base, place }] of waitingFor.current) {
      waitingFor.current.delete(name);
      try {
        const changes = counts.current.get(name) ?? null;
        const told = await host.call("edit", { view, name, body, base, changes });
        if (told) counts.current.set(name, told.changes);
        mine.failed = null;
        if (mine.name !== name || mine.body === body) forget(place, name);
      } catch (error) {
        const told = toldOf(error);
        if (told.kind === "DraftConflictError" && mine.name === name) {
          mine.conflict = told;
          mine.theirs = host.get("state_draft").body ?? null;
        } else if (told.kind !== "kernel") mine.failed = told;
        // Of a kernel that is gone the whole workbench tells, and what was typed is in the browser.
      }
    }
    underWay.current = false;
    again((n) => n + 1);
  }, [host, view]);

  const send = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const { name, body, base, place } = kept.current;
    if (!body) return;
    waitingFor.current.set(name, { body, base, place });
    void pump();
  }, [pump]);

  const take = useCallback(() => {
    const trait = host.get("state_draft");
    if (!trait.ready || trait.body === undefined) return;
    const mine = kept.current;
    const own = trait.by === view && trait.name === mine.name && mine.body !== null;
    if (own) counts.current.set(mine.name, trait.changes ?? 0);
    else if (trait.revision !== mine.seen) {
      const other = trait.name !== mine.name;
      // What was typed in the last moment belongs to the prompt that is being left: it is kept, not dropped.
      if (other && timer.current !== undefined) send();
      // The same prompt, and something typed here that is not kept yet: Python tells which of the two was first.
      if (other || (timer.current === undefined && !underWay.current && !mine.conflict)) {
        mine.body = trait.body;
        mine.name = trait.name ?? "";
        mine.place = trait.place ?? "";
        counts.current.set(mine.name, trait.changes ?? 0);
        mine.conflict = mine.theirs = mine.failed = null;
        mine.revision += 1;
        if (other) {
          const found = left(mine.place, mine.name);
          mine.left = found && stable(found.body) !== stable(trait.body) ? found : null;
        }
      } else if (mine.conflict) mine.theirs = trait.body;
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
      if (timer.current !== undefined) send();
    };
  }, [host, take, send]);

  // Another kernel tells nothing of what it did: whoever comes back to this page sees it before they type.
  useEffect(() => {
    const back = () => {
      const busy = timer.current !== undefined || underWay.current || kept.current.conflict;
      if (document.visibilityState === "visible" && !busy)
        host.call("reload_draft", {}).catch(() => undefined);
    };
    document.addEventListener("visibilitychange", back);
    return () => document.removeEventListener("visibilitychange", back);
  }, [host]);

  const edit = useCallback(
    (change: Partial<UnitBody>) => {
      const mine = kept.current;
      if (!mine.body) return;
      mine.body = { ...mine.body, ...change };
      keep(mine.place, mine.name, { body: mine.body, base: mine.base, at: new Date().toISOString() });
      clearTimeout(timer.current);
      timer.current = setTimeout(() => send(), TYPING_PAUSE);
      again((n) => n + 1);
    },
    [send],
  );

  const put = useCallback(
    (change: Partial<UnitBody>) => {
      kept.current.revision += 1;
      edit(change);
    },
    [edit],
  );

  const settle = useCallback(
    (body: UnitBody | null) => {
      const mine = kept.current;
      counts.current.set(mine.name, host.get("state_draft").changes ?? 0);
      mine.conflict = mine.theirs = null;
      clearTimeout(timer.current);
      timer.current = undefined;
      if (body) {
        mine.body = body;
        mine.revision += 1;
        forget(mine.place, mine.name);
        again((n) => n + 1);
      } else send();
    },
    [host, send],
  );

  const dropLeft = useCallback(() => {
    kept.current.left = null;
    forget(kept.current.place, kept.current.name);
    again((n) => n + 1);
  }, []);

  const useLeft = useCallback(() => {
    const found = kept.current.left;
    kept.current.left = null;
    if (found) put(found.body);
  }, [put]);

  const flush = useCallback(() => {
    if (timer.current !== undefined) send();
  }, [send]);

  const { name, body, base, savedAt, unsaved, proposal, revision, failed, conflict, theirs } = kept.current;
  const waiting = timer.current !== undefined || underWay.current;
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
    conflict,
    theirs,
    left: kept.current.left,
    keepMine: () => settle(null),
    takeTheirs: () => settle(theirs),
    useLeft,
    dropLeft,
    put,
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
