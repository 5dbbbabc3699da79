import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { pagesOf } from "../../logic/window";
import type { OrderReply, RowFilter, RowSort, RowView, RunProgress, Told, Traits } from "../../model";
import { toldOf, useHost, useTrait } from "../../parts/hooks";

/** A run's versions as they stand side by side: the baseline, the candidate in sight, the others. */
export function inSight(progress: RunProgress, verdict: Traits["state_verdict"]): string[] {
  const pair = (verdict.run === progress.run && verdict.pair) || [];
  return [...new Set([...pair, ...progress.versions])];
}

const PAGE = 50;
/** Pages that are kept; whoever scrolls through 100,000 rows leaves the others behind. */
const KEPT = 60;

export interface Rows {
  order: OrderReply | null;
  /** A newer order than the one that is shown; taken over when the reader says so. */
  offer: OrderReply | null;
  row(position: number): RowView | undefined;
  need(first: number, end: number): void;
  take(): void;
  error: Told | null;
  busy: boolean;
}

/** Pages of rows in an order that stays as it is until another one is asked for. */
export function useRows(
  progress: RunProgress,
  filter: RowFilter,
  sort: RowSort,
  search: string,
  slice: string | null,
  scorer: string,
): Rows {
  const host = useHost();
  const verdict = useTrait("state_verdict");
  const pair = (verdict.run === progress.run && verdict.pair?.join(" ")) || "";
  const [, again] = useState(0);
  const kept = useRef({
    order: null as OrderReply | null,
    offer: null as OrderReply | null,
    error: null as Told | null,
    pages: new Map<string, RowView[]>(),
    asked: new Set<string>(),
    window: [0, 0] as [number, number],
    question: 0,
    busy: false,
  });
  const draw = useCallback(() => again((n) => n + 1), []);

  const fetchPages = useCallback(
    async (fresh: boolean) => {
      const mine = kept.current;
      const token = mine.order?.token;
      if (token === undefined) return;
      const [first, end] = mine.window;
      const wanted = pagesOf({ first, end }, PAGE).map((page) => ({ page, key: `${token}/${page}` }));
      for (const { key } of wanted) {
        // What is in sight is the last that is left behind.
        const rows = mine.pages.get(key);
        if (rows && mine.pages.delete(key)) mine.pages.set(key, rows);
      }
      const missing = wanted.filter(({ key }) => !mine.asked.has(key) && (fresh || !mine.pages.has(key)));
      if (missing.length === 0) return;
      await Promise.all(
        missing.map(async ({ page, key }) => {
          mine.asked.add(key);
          try {
            const { rows } = await host.call("rows", { token, offset: page * PAGE, limit: PAGE });
            mine.pages.delete(key);
            mine.pages.set(key, rows);
            for (const oldest of mine.pages.keys()) {
              if (mine.pages.size <= KEPT) break;
              mine.pages.delete(oldest);
            }
            mine.error = null;
          } catch (error) {
            mine.error = toldOf(error);
          } finally {
            mine.asked.delete(key);
          }
        }),
      );
      draw();
    },
    [host, draw],
  );

  const ask = useCallback(
    async (keep: boolean, ended = false) => {
      const mine = kept.current;
      mine.question += 1;
      const question = mine.question;
      // A question that is not answered yet is asked again as a whole: this one takes its place.
      const follows = keep && mine.order !== null && !mine.busy;
      if (!follows) mine.busy = true;
      try {
        // While answers arrive the pages in sight are asked for anew, wherever they are.
        const limit = follows && !ended ? 0 : PAGE;
        const order = await host.call("order", { filter, sort, search, slice, limit });
        if (question !== mine.question) return;
        mine.error = null;
        if (follows && mine.order) {
          const moved = ended && !sameRows(order.rows, mine.pages.get(`${mine.order.token}/0`));
          const other = mine.offer !== null || order.total !== mine.order.total || moved;
          mine.order = { ...mine.order, counts: order.counts };
          // The newest: Python puts aside what nobody reads in.
          mine.offer = other ? order : null;
        } else {
          mine.order = order;
          mine.offer = null;
          mine.pages.clear();
          mine.pages.set(`${order.token}/0`, order.rows);
        }
      } catch (error) {
        if (question === mine.question) mine.error = toldOf(error);
      } finally {
        if (question === mine.question) mine.busy = false;
        draw();
      }
      if (question === mine.question) await fetchPages(follows);
    },
    [host, filter, sort, search, slice, draw, fetchPages],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another run, pair or scorer is another question
  useEffect(() => {
    kept.current.offer = null;
    void ask(false);
  }, [ask, progress.run, pair, scorer]);

  // While answers arrive, counts and the rows in sight follow about once a second; their order does not.
  const running = progress.status === "running";
  useEffect(() => {
    if (!running) return;
    let timer: ReturnType<typeof setTimeout>;
    let going = true;
    const again = () => {
      // The next question waits for the last answer: a slow kernel is not given a queue of them.
      timer = setTimeout(async () => {
        await ask(true);
        if (going) again();
      }, 1000);
    };
    again();
    return () => {
      going = false;
      clearTimeout(timer);
    };
  }, [running, ask]);

  // Once it rests, the order of by now may be another, whether or not the page saw it run.
  const standing = `${progress.status} ${progress.done} ${progress.errors}`;
  const known = useRef(standing);
  useEffect(() => {
    if (running || known.current === standing) return;
    known.current = standing;
    void ask(true, true);
  }, [running, standing, ask]);

  const { order, offer, error, busy, pages } = kept.current;
  return {
    order,
    offer,
    error,
    busy,
    row: (position) =>
      order ? pages.get(`${order.token}/${Math.floor(position / PAGE)}`)?.[position % PAGE] : undefined,
    need(first, end) {
      kept.current.window = [first, end];
      void fetchPages(false);
    },
    take() {
      const mine = kept.current;
      mine.order = mine.offer;
      mine.offer = null;
      mine.pages.clear();
      draw();
      void fetchPages(false);
    },
  };
}

/** Whether an order begins with the rows that are shown first; what is not kept any more may be others. */
function sameRows(rows: RowView[], shown: RowView[] | undefined): boolean {
  return shown?.length === rows.length && rows.every((row, at) => row.row === shown[at]?.row);
}
