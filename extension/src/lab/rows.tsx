// A list of many rows of one height, drawn by window, with one selected row that the keyboard moves.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { scrollFor, visible } from "../logic/window";
import { useName } from "../parts/hooks";

export const ROW = 48;

interface Props<T> {
  label: string;
  items: readonly T[];
  keyOf: (item: T) => string;
  /** What a screen reader says of a row. */
  spoken: (item: T) => string;
  selected: string | null;
  select: (key: string) => void;
  open?: (key: string) => void;
  /** While it stays the same, the row at the top stays there too, whatever comes above it. */
  order: string;
  box: (element: HTMLDivElement | null) => void;
  children: (item: T) => ComponentChildren;
}

export function Rows<T>(props: Props<T>) {
  const { items, keyOf, selected } = props;
  const id = useName("rows");
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const anchor = useAnchor(props, box);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  const at = items.findIndex((item) => keyOf(item) === selected);
  const atFirst = useRef(at);
  useLayoutEffect(() => {
    const element = box.current;
    // A list that is shown again shows where one was.
    if (element && atFirst.current > 0) element.scrollTop = atFirst.current * ROW - element.clientHeight / 2;
  }, []);
  const go = (row: number) => {
    const item = items[Math.max(0, Math.min(items.length - 1, row))];
    const element = box.current;
    if (!item || !element) return;
    props.select(keyOf(item));
    const place = scrollFor(items.indexOf(item), element.scrollTop, element.clientHeight, ROW);
    if (place !== null) element.scrollTop = place;
  };
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLDivElement>) => {
    const page = Math.max(1, Math.floor(height / ROW) - 1);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1,
    };
    const step = steps[event.key];
    if (step !== undefined) go(step);
    else if (event.key === "Enter" && selected && props.open && !event.repeat) props.open(selected);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const range = visible(top, height, ROW, items.length);
  return (
    <div
      class="pm-rows"
      role="listbox"
      aria-label={props.label}
      aria-activedescendant={at >= range.first && at < range.end ? `${id}-${at}` : undefined}
      tabIndex={0}
      onKeyDown={keys}
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop);
        anchor(event.currentTarget.scrollTop);
      }}
      ref={(element) => {
        box.current = element;
        props.box(element);
      }}
    >
      <div style={{ height: `${items.length * ROW}px` }}>
        {items.slice(range.first, range.end).map((item, index) => {
          const key = keyOf(item);
          const row = range.first + index;
          return (
            <div
              key={key}
              id={`${id}-${row}`}
              class="pm-rows-row"
              role="option"
              tabIndex={-1}
              aria-label={props.spoken(item)}
              aria-selected={key === selected}
              aria-posinset={row + 1}
              aria-setsize={items.length}
              style={{ height: `${ROW}px`, transform: `translateY(${row * ROW}px)` }}
              onClick={() => (props.open ?? props.select)(key)}
            >
              {props.children(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Keeps the row at the top where it is when others come or go above it; returns what notes the scrolled place. */
function useAnchor<T>(props: Props<T>, box: { current: HTMLDivElement | null }): (top: number) => void {
  const kept = useRef({ order: props.order, items: props.items, key: "", within: 0 });
  const note = (top: number) => {
    const { order, items, keyOf } = props;
    const item = items[Math.floor(top / ROW)];
    kept.current = { order, items, key: item === undefined ? "" : keyOf(item), within: top % ROW };
  };
  // After each drawing: it costs nothing where the items are the same.
  useLayoutEffect(() => {
    const element = box.current;
    const { order, items, key, within } = kept.current;
    if (!element || (order === props.order && items === props.items)) return;
    if (order !== props.order) element.scrollTop = 0;
    else if (key && element.scrollTop > 0) {
      const row = props.items.findIndex((item) => props.keyOf(item) === key);
      if (row >= 0) element.scrollTop = row * ROW + within;
    }
    note(element.scrollTop);
  });
  return note;
}
