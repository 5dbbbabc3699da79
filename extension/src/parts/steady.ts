import { Component, type JSX } from "preact";

/** A component that is drawn again only where one of its properties is another: for long lists. */
export function steady<P extends object>(draw: (props: P) => JSX.Element) {
  return class Steady extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return differs(this.props, next);
    }

    override render(): JSX.Element {
      return draw(this.props);
    }
  };
}

function differs<P extends object>(before: P, after: P): boolean {
  const names = Object.keys(after) as (keyof P)[];
  return names.length !== Object.keys(before).length || names.some((name) => before[name] !== after[name]);
}
